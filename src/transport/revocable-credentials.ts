/**
 * Credentials whose connection can be closed at any time.
 *
 * grpc-js closes a channel's connection only once the other side has answered. One that is still
 * waiting for that, as to a process that is paused, would stay open after its channel is closed,
 * and each further attempt would leave another.
 */
import type { Socket } from 'node:net';
import type { ChannelCredentials } from '@grpc/grpc-js';

type SecureConnector = ReturnType<ChannelCredentials['_createSecureConnector']>;

/** For one channel: what to open it with, and how to close what it has opened. */
export interface RevocableCredentials {
  readonly credentials: ChannelCredentials;
  /** Closes the channel's connection, and any that it still opens. */
  readonly revoke: () => void;
}

/** Makes the connection of one channel, opened with `credentials`, revocable. */
export function makeRevocable(credentials: ChannelCredentials): RevocableCredentials {
  const sockets = new Set<Socket>();
  let isRevoked = false;
  const take = (socket: Socket): void => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    if (isRevoked) {
      socket.destroy();
    }
  };
  const create: ChannelCredentials['_createSecureConnector'] = (...given): SecureConnector => {
    const connector = credentials._createSecureConnector(...given);
    return {
      connect: async (socket) => {
        take(socket);
        return connector.connect(socket);
      },
      waitForReady: async () => connector.waitForReady(),
      getCallCredentials: () => connector.getCallCredentials(),
      destroy: () => {
        connector.destroy();
      },
    };
  };
  return {
    // Everything else stays as it is, its class included, which grpc-js checks.
    credentials: Object.create(credentials, {
      _createSecureConnector: { value: create },
    }) as ChannelCredentials,
    revoke: () => {
      isRevoked = true;
      for (const socket of sockets) {
        socket.destroy();
      }
    },
  };
}
