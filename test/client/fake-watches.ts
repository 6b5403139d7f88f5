/** Watches at fake members: taken as a member would, told what the test says. */
import { Holdfast, type HoldfastOptions } from '../../src/client/index.ts';
import type {
  KeyValueAnswer,
  WatchAnswer,
  WatchCreateMessage,
  WatchEventAnswer,
  WatchMessage,
} from '../../src/wire/index.ts';
import { FakeMembers, type ReceivedStream, virtualEnvironment } from './fake-members.ts';

/** A client whose members take watches, with ids from 0 on, at revision 10. */
export function setUpWatches(options: Partial<HoldfastOptions> = {}) {
  const members = new FakeMembers();
  const environment = virtualEnvironment();
  const client = new Holdfast(
    { endpoints: ['127.0.0.1:1', '127.0.0.1:2'], ...options },
    { transport: members, environment },
  );
  const nextIds = new Map<ReceivedStream, number>();
  const state = { revision: 10, isTaking: true };
  members.onStream = () => undefined;
  members.onMessage = (stream, message) => {
    if ((message as WatchMessage).type === 'create' && state.isTaking) {
      const id = nextIds.get(stream) ?? 0;
      nextIds.set(stream, id + 1);
      stream.answer(answer({ watchId: String(id), isCreated: true, revision: state.revision }));
    }
  };
  const streams = (): readonly ReceivedStream[] => members.streams;
  const current = (): ReceivedStream => streams().at(-1) as ReceivedStream;
  const created = (stream = current()): readonly WatchCreateMessage[] =>
    (stream.received as readonly WatchMessage[]).flatMap((message) =>
      message.type === 'create' ? [message.create] : [],
    );
  const settle = async (ms = 0): Promise<void> => environment.loop.run(ms);
  return { client, members, loop: environment.loop, state, streams, current, created, settle };
}

/** What a member says, but for the fields that matter nothing. */
export function answer(fields: Partial<WatchAnswer>): WatchAnswer {
  return {
    ...{ revision: 0, watchId: '0', isCreated: false, isCanceled: false, compactRevision: 0 },
    ...{ cancelReason: '', isFragment: false, isComplete: false, events: [], ...fields },
  };
}

/** Events of a watch. */
export function told(events: readonly WatchEventAnswer[], fields: Partial<WatchAnswer> = {}) {
  return answer({ events, ...fields });
}

/** A put of `key`, whose value is its revision if nothing else. */
export function put(key: string, revision: number, value = String(revision)): WatchEventAnswer {
  return { type: 'put', kv: kvOf(key, revision, value), prevKv: undefined, isExpiry: false };
}

/** A deletion. */
export function deletion(key: string, revision: number, isExpiry = false): WatchEventAnswer {
  return { type: 'delete', kv: kvOf(key, revision, ''), prevKv: undefined, isExpiry };
}

/** A key as a member has it. */
export function kvOf(key: string, modRevision: number, value: string): KeyValueAnswer {
  return {
    ...{ key: Buffer.from(key), value: Buffer.from(value), createRevision: 1, modRevision },
    ...{ version: 1, lease: '0', ttlMs: 0 },
  };
}
