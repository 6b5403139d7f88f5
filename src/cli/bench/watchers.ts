/**
 * Watchers for a load generator: any number of them over a few streams, each stream on a connection
 * of its own.
 */
import { services } from '../../wire/index.ts';
import type { Connection } from './connection.ts';
import { MessageStream } from './message-stream.ts';
import { frameMessage } from './requests.ts';
import { readWatchAnswer } from './responses.ts';

/** What a watcher watches: a key, or all keys from one up to another. */
export interface WatchedKeys {
  readonly key: Buffer;
  readonly rangeEnd?: Buffer;
}

/** What is watched, and who is told. */
export interface WatchersOptions {
  /** One for each stream. */
  readonly connections: readonly Connection[];
  readonly count: number;
  /** Of a watcher by its number, from 0. */
  readonly keysOf: (watcher: number) => WatchedKeys;
  /** The tags of the events of one message (`tagPut`), for one watcher. */
  readonly onEvents: (tags: readonly number[]) => void;
  /** A watcher was ended, or a stream; called once for each. */
  readonly onFailure: (error: Error) => void;
  readonly signal: AbortSignal;
}

const { Watch } = services['etcdserverpb.Watch'];

/**
 * Begins to watch; resolves when all watchers are there. They last until the connections are
 * closed.
 *
 * @throws the reason of the signal; `onFailure` has been told why a watcher cannot be had
 */
export async function openWatchers(options: WatchersOptions): Promise<void> {
  const { connections, count, keysOf, onEvents, onFailure, signal } = options;
  signal.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    let created = 0;
    const onAbort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort);
    const onMessage = (message: Buffer): void => {
      const { isCreated, isCanceled, cancelReason, tags } = readWatchAnswer(message);
      if (isCanceled) {
        onFailure(new Error(`a watch was ended: ${cancelReason}`));
      } else if (isCreated) {
        created++;
        if (created === count) {
          signal.removeEventListener('abort', onAbort);
          resolve();
        }
      } else if (tags.length > 0) {
        onEvents(tags);
      }
    };
    const streams = connections.map(
      (connection) => new MessageStream(connection, Watch.path, { onMessage, onFailure }),
    );
    for (let watcher = 0; watcher < count; watcher++) {
      streams[watcher % streams.length]?.send(createFrame(keysOf(watcher)));
    }
  });
}

function createFrame({ key, rangeEnd }: WatchedKeys): Buffer {
  const range = rangeEnd === undefined ? { key } : { key, range_end: rangeEnd };
  return frameMessage(Watch.requestSerialize({ create_request: range }));
}
