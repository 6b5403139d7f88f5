import type { ServerHttp2Stream } from 'node:http2';
import { describe, expect, onTestFinished, test } from 'vitest';
import { plainAccess } from '../../../src/cli/bench/access.ts';
import { Connection } from '../../../src/cli/bench/connection.ts';
import { frameMessage, unframeMessage } from '../../../src/cli/bench/requests.ts';
import { openWatchers, type WatchersOptions } from '../../../src/cli/bench/watchers.ts';
import { services } from '../../../src/wire/index.ts';
import { FakeMember } from './fake-member.ts';

const { Watch } = services['etcdserverpb.Watch'];

function send(
  stream: ServerHttp2Stream,
  response: Parameters<typeof Watch.responseSerialize>[0],
): void {
  stream.write(frameMessage(Watch.responseSerialize(response)));
}

async function start(
  answer: (key: string, stream: ServerHttp2Stream) => void,
  options: Partial<WatchersOptions> = {},
) {
  const keys: string[] = [];
  const streams = new Set<ServerHttp2Stream>();
  const member = await FakeMember.startStreaming((frame, stream) => {
    const request = Watch.requestDeserialize(unframeMessage(frame) ?? Buffer.alloc(0));
    const key = String(request.create_request?.key);
    keys.push(key);
    streams.add(stream);
    answer(key, stream);
  });
  onTestFinished(async () => member.stop());
  const open = async (): Promise<Connection> => {
    const connection = await Connection.open({
      endpoints: [member.endpoint],
      access: plainAccess,
      onLost: () => undefined,
    });
    onTestFinished(() => connection.close());
    return connection;
  };
  const opening = openWatchers({
    connections: [await open(), await open()],
    count: 10,
    keysOf: (watcher) => ({ key: Buffer.from(`key ${watcher}`) }),
    onEvents: () => undefined,
    onFailure: () => undefined,
    signal: new AbortController().signal,
    ...options,
  });
  return { keys, streams, opening };
}

describe('openWatchers', () => {
  test('opens as many as were asked for, each of its own keys, over all streams', async () => {
    const { keys, streams, opening } = await start((_, stream) => send(stream, { created: true }));

    await opening;

    expect(keys.sort()).toEqual(Array.from({ length: 10 }, (_, at) => `key ${at}`));
    expect(streams.size).toBe(2);
  });

  test('tells of events by the tags of their values', async () => {
    const value = Buffer.from([0, 0, 1, 0, 9]);
    const event = { type: 'PUT', kv: { key: Buffer.from('key'), value } } as const;

    const tags = await new Promise((resolve) => {
      void start(
        (key, stream) => {
          send(stream, { created: true });
          if (key === 'key 3') {
            send(stream, { events: [event, event] });
          }
        },
        { onEvents: resolve },
      );
    });

    expect(tags).toEqual([256, 256]);
  });

  test('tells why a watcher was ended, and waits no longer than its signal', async () => {
    const controller = new AbortController();
    const { opening } = await start(
      (_, stream) =>
        send(stream, { created: true, canceled: true, cancel_reason: 'too many watches' }),
      {
        onFailure: (error) => {
          controller.abort(error);
        },
        signal: controller.signal,
      },
    );

    await expect(opening).rejects.toThrow('a watch was ended: too many watches');
  });
});
