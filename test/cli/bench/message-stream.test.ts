import type { ServerHttp2Stream } from 'node:http2';
import { describe, expect, onTestFinished, test } from 'vitest';
import { plainAccess } from '../../../src/cli/bench/access.ts';
import { Connection } from '../../../src/cli/bench/connection.ts';
import { MessageStream } from '../../../src/cli/bench/message-stream.ts';
import { frameMessage } from '../../../src/cli/bench/requests.ts';
import { FakeMember } from './fake-member.ts';

async function openOn(member: FakeMember): Promise<Connection> {
  const connection = await Connection.open({
    endpoints: [member.endpoint],
    access: plainAccess,
    onLost: () => undefined,
  });
  onTestFinished(() => connection.close());
  onTestFinished(async () => member.stop());
  return connection;
}

/** The messages and the failure of a stream on which one request was made. */
async function messagesOf(
  answer: (frame: Buffer, stream: ServerHttp2Stream) => void,
): Promise<{ readonly messages: readonly Buffer[]; readonly failure: Error }> {
  const connection = await openOn(await FakeMember.startStreaming(answer));
  const messages: Buffer[] = [];
  return new Promise((resolve) => {
    const stream = new MessageStream(connection, '/a.Watch/Watch', {
      onMessage: (message) => messages.push(Buffer.from(message)),
      onFailure: (failure) => resolve({ messages, failure }),
    });
    stream.send(frameMessage(Buffer.from('begin')));
  });
}

describe('MessageStream', () => {
  test('messages arrive whole and in order, however they were cut', async () => {
    const sizes = [0, 1, 5, 100, 16_384, 70_000, 3, 0];
    const bytes = Buffer.concat(sizes.map((size, i) => frameMessage(Buffer.alloc(size, i + 1))));
    for (const pieceBytes of [1, 3, 7, 1000, bytes.length]) {
      // The first 120 bytes hold several messages and most of a header: they come as cut, byte by
      // byte too. The rest comes in larger pieces, so that the test is quick.
      const { messages } = await messagesOf((_, stream) => {
        for (let at = 0; at < 120; at += pieceBytes) {
          stream.write(bytes.subarray(at, Math.min(at + pieceBytes, 120)));
        }
        stream.write(bytes.subarray(120, 50_000));
        stream.end(bytes.subarray(50_000));
      });

      expect(messages.map((each) => each.length)).toEqual(sizes);
      expect(messages.every((each, i) => each.every((byte) => byte === i + 1))).toBe(true);
    }
  });

  test('an end is a failure, with what the member says', async () => {
    const { messages, failure } = await messagesOf((_, stream) => {
      stream.on('wantTrailers', () => {
        stream.sendTrailers({ 'grpc-status': '14', 'grpc-message': 'no%20leader' });
      });
      stream.end();
    });

    expect(messages).toEqual([]);
    expect(failure.message).toBe('the member ended the stream: no leader (code 14)');
  });

  test('a lost connection takes no stream', async () => {
    const connection = await openOn(await FakeMember.startStreaming(() => undefined));
    connection.close();
    const listener = { onMessage: () => undefined, onFailure: () => undefined };

    expect(() => new MessageStream(connection, '/a', listener)).toThrow('lost');
  });
});
