/**
 * etcd's Watch messages as a client writes and reads them, by hand, as those of the KV service are
 * (`kv-client-codec.ts`). Field numbers are those of `proto/etcd/rpc.proto`.
 */
import { type KeyValueAnswer, readKeyValue, readRevision } from './kv-client-codec.ts';
import { ProtoReader, ProtoWriter } from './protobuf.ts';

/** Begins a watch of one key, or of those from `key` up to `rangeEnd`. */
export interface WatchCreateMessage {
  readonly key: Uint8Array;
  readonly rangeEnd?: Uint8Array | undefined;
  /** First revision whose events are wanted; 0 is the one after the newest. */
  readonly startRevision: number;
  readonly progressNotify?: boolean | undefined;
  /** Events of this kind are left out. */
  readonly without?: 'put' | 'delete' | undefined;
  readonly prevKv?: boolean | undefined;
  readonly fragment?: boolean | undefined;
}

/** What a client says on a stream of watches. */
export type WatchMessage =
  | { readonly type: 'create'; readonly create: WatchCreateMessage }
  | { readonly type: 'cancel'; readonly watchId: string }
  | { readonly type: 'progress' };

/** One change of one key. */
export interface WatchEventAnswer {
  readonly type: 'put' | 'delete';
  /** Of a deletion: the key and the revision of the deletion alone. */
  readonly kv: KeyValueAnswer;
  readonly prevKv: KeyValueAnswer | undefined;
  /** Of a deletion: its time, or that of its lease, was up. */
  readonly isExpiry: boolean;
}

/** What a member says on a stream of watches. */
export interface WatchAnswer {
  readonly revision: number;
  readonly watchId: string;
  readonly isCreated: boolean;
  readonly isCanceled: boolean;
  /** With `isCanceled`: history begins here; 0: that is not the reason. */
  readonly compactRevision: number;
  readonly cancelReason: string;
  /** More parts of this answer follow. */
  readonly isFragment: boolean;
  /** Every watch of the stream has been told everything up to `revision`. */
  readonly isComplete: boolean;
  readonly events: readonly WatchEventAnswer[];
}

/** Fields of `WatchRequest`. */
const requestFields = { create: 1, cancel: 2, progress: 3 } as const;
/** Values of `FilterType`. */
const filters = { put: 0, delete: 1 } as const;
const noBytes = new Uint8Array(0);

function encodeWatchMessage(message: WatchMessage): Buffer {
  const writer = new ProtoWriter(128);
  const mark = writer.begin(requestFields[message.type]);
  if (message.type === 'create') {
    writeCreate(writer, message.create);
  } else if (message.type === 'cancel') {
    writer.int64(1, message.watchId);
  }
  writer.end(mark);
  return writer.finish();
}

function writeCreate(writer: ProtoWriter, create: WatchCreateMessage): void {
  writer.bytes(1, create.key);
  writer.bytes(2, create.rangeEnd ?? noBytes);
  writer.int(3, create.startRevision);
  writer.flag(4, create.progressNotify);
  if (create.without !== undefined) {
    // A list; packed, since its first value is 0.
    writer.bytes(5, Uint8Array.of(filters[create.without]));
  }
  writer.flag(6, create.prevKv);
  writer.flag(8, create.fragment);
}

function readWatchAnswer(bytes: Buffer): WatchAnswer {
  const reader = new ProtoReader(bytes);
  const events: WatchEventAnswer[] = [];
  const answer = {
    revision: 0,
    watchId: '0',
    isCreated: false,
    isCanceled: false,
    compactRevision: 0,
    cancelReason: '',
    isFragment: false,
    isComplete: false,
    events,
  };
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    switch (field) {
      case 1:
        answer.revision = readRevision(reader.message());
        break;
      case 2:
        answer.watchId = reader.int64();
        break;
      case 3:
        answer.isCreated = reader.flag();
        break;
      case 4:
        answer.isCanceled = reader.flag();
        break;
      case 5:
        answer.compactRevision = reader.int();
        break;
      case 6:
        answer.cancelReason = reader.text();
        break;
      case 7:
        answer.isFragment = reader.flag();
        break;
      case 11:
        events.push(readEvent(reader.message()));
        break;
      case 1000:
        answer.isComplete = reader.flag();
        break;
      default:
        reader.skip();
    }
  }
  return answer;
}

function readEvent(reader: ProtoReader): WatchEventAnswer {
  let type: WatchEventAnswer['type'] = 'put';
  let kv: KeyValueAnswer | undefined;
  let prevKv: KeyValueAnswer | undefined;
  let isExpiry = false;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    switch (field) {
      case 1:
        type = reader.int() === 1 ? 'delete' : 'put';
        break;
      case 2:
        kv = readKeyValue(reader.message());
        break;
      case 3:
        prevKv = readKeyValue(reader.message());
        break;
      case 1000:
        isExpiry = reader.flag();
        break;
      default:
        reader.skip();
    }
  }
  if (kv === undefined) {
    throw new Error('malformed message: an event without a key');
  }
  return { type, kv, prevKv, isExpiry };
}

/** The service's only method. */
export const watchMethod = {
  path: '/etcdserverpb.Watch/Watch',
  requestSerialize: encodeWatchMessage,
  responseDeserialize: readWatchAnswer,
};
