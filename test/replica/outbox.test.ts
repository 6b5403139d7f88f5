import { beforeEach, describe, expect, test } from 'vitest';
import { Outbox } from '../../src/replica/outbox.ts';
import type { PeerMessage } from '../../src/transport/index.ts';
import { VirtualLoop } from '../harness/virtual-loop.ts';

const term = 3;

function append(to: number, commitIndex: number): PeerMessage {
  const entry = { index: commitIndex + 1, term, type: 'normal', data: new Uint8Array(1) } as const;
  const place = { prevLogIndex: commitIndex, prevLogTerm: term, commitIndex };
  return { type: 'AppendEntries', from: 1, to, term, ...place, entries: [entry] };
}

function notice(to: number, commitIndex: number): PeerMessage {
  return { type: 'CommitNotice', from: 1, to, term, commitIndex, commitTerm: term };
}

const answer: PeerMessage = {
  type: 'ReadIndexResponse',
  ...{ from: 1, to: 2, term: 0, context: 5, index: 7 },
};

describe('an outbox', () => {
  let loop: VirtualLoop;
  let sent: string[];
  let outbox: Outbox;

  beforeEach(() => {
    loop = new VirtualLoop();
    sent = [];
    const transport = {
      send: (messages: readonly PeerMessage[]): readonly PeerMessage[] => {
        for (const message of messages) {
          const commit = 'commitIndex' in message ? ` ${message.commitIndex}` : '';
          sent.push(`${message.type}${commit} to ${message.to}`);
        }
        return messages.slice(0, 1);
      },
    };
    outbox = new Outbox(transport, loop);
  });

  /** Appends follow one another within moments. */
  async function beSteady(): Promise<void> {
    outbox.send([append(2, 4), append(3, 4)]);
    await loop.run(1);
    outbox.send([append(2, 5), append(3, 5)]);
    sent.length = 0;
  }

  test('sends at once what comes now and then', async () => {
    outbox.send([append(2, 4)]);
    await loop.run(50);
    outbox.send([append(2, 5)]);
    outbox.send([notice(2, 6)]);

    expect(sent).toEqual(['AppendEntries 4 to 2', 'AppendEntries 5 to 2', 'CommitNotice 6 to 2']);
  });

  test('an append takes the place of the notice before it', async () => {
    await beSteady();
    outbox.send([notice(2, 6), notice(3, 6)]);
    outbox.send([append(2, 6), append(3, 6)]);
    await loop.run(50);

    expect(sent).toEqual(['AppendEntries 6 to 2', 'AppendEntries 6 to 3']);
  });

  test('a notice that no append follows leaves after a moment', async () => {
    await beSteady();
    outbox.send([notice(2, 6)]);

    expect(sent).toEqual([]);

    await loop.run(2);

    expect(sent).toEqual(['CommitNotice 6 to 2']);
  });

  test('the newest notice counts', async () => {
    await beSteady();
    outbox.send([notice(2, 6)]);
    outbox.send([notice(2, 7)]);
    await loop.run(2);

    expect(sent).toEqual(['CommitNotice 7 to 2']);
  });

  test('a notice leaves before an answer that may rest on it', async () => {
    await beSteady();
    outbox.send([notice(2, 7), notice(3, 7)]);
    outbox.send([answer]);

    expect(sent).toEqual(['CommitNotice 7 to 2', 'ReadIndexResponse to 2']);
  });

  test('an append of an earlier commit index does not take its place', async () => {
    await beSteady();
    outbox.send([notice(2, 7)]);
    outbox.send([append(2, 6)]);

    expect(sent).toEqual(['CommitNotice 7 to 2', 'AppendEntries 6 to 2']);
  });

  test('a peer whose callers wait is told at once', async () => {
    await beSteady();
    outbox.noteProposal(2);
    outbox.send([notice(2, 6), notice(3, 6)]);

    expect(sent).toEqual(['CommitNotice 6 to 2']);

    await loop.run(2);

    expect(sent).toEqual(['CommitNotice 6 to 2', 'CommitNotice 6 to 3']);
  });

  test('returns what does not travel', () => {
    const messages = [append(2, 4), append(3, 4)];

    expect(outbox.send(messages)).toEqual(messages.slice(0, 1));
    expect(outbox.send([])).toEqual([]);
  });
});
