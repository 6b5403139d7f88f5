/**
 * Queues of owners, as etcd's concurrency recipes keep them: a key for each candidate under a
 * common prefix, attached to the candidate's lease. Who created its key first is the owner; the
 * others wait for the one before them to go. The create revision of the owner's key is its fencing
 * token: later owners have larger ones.
 *
 * A candidate's lease may end while it waits. It is told so at once, and whether its own key is
 * still there is asked *after* the wait, not before.
 */
import { concatBytes, KvError, prefixEnd } from '../base/index.ts';
import type {
  Compare,
  KeyValue,
  LeaseId,
  OperationResult,
  PutOperation,
  RangeOperation,
} from '../kv/index.ts';
import type { CallOptions, MemberApi, WatchEvent, WatchRequest } from '../replica/index.ts';
import { afterEffect } from './after-effects.ts';
import type { ServiceContext } from './service.ts';

/** Somebody who is in a queue. */
export interface Candidate {
  readonly key: Uint8Array;
  /** Create revision of the key: the fencing token of the owner. */
  readonly token: number;
  /** False when the same lease was in the queue already. */
  readonly isNew: boolean;
  /** What its key holds. */
  readonly value: Uint8Array;
}

/** Who is to be in which queue. */
export interface Candidacy {
  readonly name: Uint8Array;
  readonly lease: LeaseId;
  readonly value: Uint8Array;
}

/** Milliseconds that the lease of a candidate lasts which brings none, as in etcd. */
const ownLeaseMs = 60_000;
const slash = Buffer.from('/');

/** What the keys of a queue begin with. */
function prefixOf(name: Uint8Array): Uint8Array {
  return concatBytes(name, slash);
}

/** Who asks: the bounds of a call are those of its first step, not of all that it waits for. */
type Asker = Pick<CallOptions, 'caller'>;

/**
 * Puts a candidate into a queue, unless its lease is there already.
 *
 * @throws {KvError} LEASE_NOT_FOUND, and what `propose` throws.
 */
export async function enterQueue(
  member: MemberApi,
  { name, lease, value }: Candidacy,
  options: CallOptions,
): Promise<Candidate> {
  const id = BigInt.asUintN(64, lease).toString(16);
  const key = concatBytes(prefixOf(name), Buffer.from(id));
  const answer = await member.propose(
    {
      type: 'txn',
      compare: [createdAt(key, 0)],
      success: [putOf(key, value, lease)],
      failure: [rangeOf({ key })],
    },
    options,
  );
  if (answer.kind === 'refused') {
    throw new KvError(answer.code);
  }
  const { revision } = answer;
  const { succeeded, responses } = answer.result as Extract<OperationResult, { type: 'txn' }>;
  const [response] = responses;
  const known = response?.type === 'range' ? response.kvs[0] : undefined;
  return known === undefined
    ? { key, token: revision, isNew: succeeded, value }
    : { key, token: known.createRevision, isNew: succeeded, value: known.value };
}

/**
 * Waits until nobody is before a candidate; false once `signal` has fired.
 *
 * @throws {KvError} LEASE_NOT_FOUND — the candidate's lease has ended meanwhile; what `range` and
 *   watches throw.
 */
async function waitForTurn(
  member: MemberApi,
  name: Uint8Array,
  { key, token }: Candidate,
  { caller, signal }: Asker & { readonly signal: AbortSignal },
): Promise<boolean> {
  for (;;) {
    const { before, revision } = await lookAhead(member, { name, token }, { caller });
    const { result } = await member.range(rangeOf({ key }), { caller });
    if (result.kvs[0]?.createRevision !== token) {
      throw new KvError('LEASE_NOT_FOUND');
    }
    if (before === undefined) {
      return true;
    }
    if (signal.aborted) {
      return false;
    }
    const ranges = [{ key: before.key }, { key }];
    const startRevision = revision + 1;
    const changes = { ranges, startRevision, wantsPuts: false, wantsDeletes: true, caller };
    // What a watch of compacted history has missed, the next look shows.
    await anyOf(eventsOf(member, changes, signal));
  }
}

/**
 * Writes another value to a candidate's key.
 *
 * @returns whether the candidate was still in the queue.
 * @throws {KvError} LEASE_NOT_FOUND, and what `propose` throws.
 */
export async function rewrite(
  member: MemberApi,
  { key, token, lease }: Pick<Candidate, 'key' | 'token'> & { readonly lease: LeaseId },
  { value, ...options }: CallOptions & { readonly value: Uint8Array },
): Promise<{ readonly isThere: boolean; readonly revision: number }> {
  const answer = await member.propose(
    {
      type: 'txn',
      compare: [createdAt(key, token)],
      success: [putOf(key, value, lease)],
      failure: [],
    },
    options,
  );
  if (answer.kind === 'refused') {
    throw new KvError(answer.code);
  }
  const { succeeded } = answer.result as Extract<OperationResult, { type: 'txn' }>;
  return { isThere: succeeded, revision: answer.revision };
}

/**
 * Waits until a candidate owns; a new one that gives up, or fails, leaves the queue. So does one
 * whose client has gone when its turn comes: nobody would know what it owns, or give it up.
 *
 * @throws what `waitForTurn` throws, and the reason of `signal`.
 */
export async function waitOrLeave(
  member: MemberApi,
  { name, candidate }: { readonly name: Uint8Array; readonly candidate: Candidate },
  { caller, signal }: Asker & { readonly signal: AbortSignal },
): Promise<void> {
  try {
    const owns = await waitForTurn(member, name, candidate, { caller, signal });
    if (!owns || isGone(signal)) {
      throw signal.reason;
    }
  } catch (error) {
    if (candidate.isNew) {
      await leaveQueue(member, candidate, { caller }).catch(() => {
        // It stands there until its lease ends, and may come to own.
        throw afterEffect(error);
      });
    }
    throw error;
  }
}

/** Whether the client has gone; a try, or a limit to the wait, is another reason to end one. */
function isGone({ reason }: AbortSignal): boolean {
  return reason instanceof KvError && reason.code === 'CANCELLED';
}

/**
 * Does `work` with a lease; with 0, with one of its own that ends when `work` fails.
 *
 * @throws {KvError} TOO_MANY_REQUESTS — there are too many leases; what `work` and `propose` throw.
 */
export async function withLease<T>(
  { admission, member }: Pick<ServiceContext, 'admission' | 'member'>,
  lease: LeaseId,
  options: CallOptions,
  work: (lease: LeaseId) => Promise<T>,
): Promise<T> {
  if (lease !== 0n) {
    return work(lease);
  }
  admission.checkLeases(member.leases.count);
  const id = member.leases.nextLeaseId();
  const answer = await member.propose({ type: 'leaseGrant', id, ttlMs: ownLeaseMs }, options);
  if (answer.kind === 'refused') {
    throw new KvError(answer.code);
  }
  try {
    return await work(id);
  } catch (error) {
    const { caller } = options;
    await member.propose({ type: 'leaseRevoke', id }, { caller }).catch(nobodyToTell);
    throw error;
  }
}

/** What could not be tidied up ends with its lease; the caller hears of the first failure. */
const nobodyToTell = (): void => undefined;

/** Takes a candidate out of its queue, but nobody else who may have come under the same key. */
export async function leaveQueue(
  member: MemberApi,
  { key, token }: Pick<Candidate, 'key' | 'token'>,
  options: CallOptions,
): Promise<number> {
  const answer = await member.propose(
    {
      type: 'txn',
      compare: [createdAt(key, token)],
      success: [{ type: 'deleteRange', key, prevKv: false }],
      failure: [],
    },
    options,
  );
  if (answer.kind === 'refused') {
    throw new KvError(answer.code);
  }
  return answer.revision;
}

/** What an owner's key holds, and the revision at which it was seen. */
export interface OwnerView {
  readonly kv: KeyValue | undefined;
  readonly revision: number;
}

/** Who owns now. */
export async function ownerOf(
  member: MemberApi,
  name: Uint8Array,
  options: CallOptions = {},
): Promise<OwnerView> {
  const prefix = prefixOf(name);
  const { result, revision } = await member.range(
    {
      ...rangeOf({ key: prefix, rangeEnd: prefixEnd(prefix) }),
      ...{ limit: 1, sortTarget: 'create', sortOrder: 'ascend' },
    },
    options,
  );
  return { kv: result.kvs[0], revision };
}

/** Who owns now and from then on, with all that owners write; ends once `signal` has fired. */
export async function* ownersOf(
  member: MemberApi,
  name: Uint8Array,
  { caller, signal }: Asker & { readonly signal: AbortSignal },
): AsyncGenerator<OwnerView & { readonly kv: KeyValue }> {
  const prefix = prefixOf(name);
  // Of the owner told last. The next one may have written its key before that one's last word, so
  // revisions do not say who is newer.
  let told: Pick<KeyValue, 'createRevision' | 'modRevision'> | undefined;
  while (!signal.aborted) {
    const { kv, revision } = await ownerOf(member, name, { caller });
    const startRevision = revision + 1;
    if (kv === undefined) {
      const ranges = [{ key: prefix, rangeEnd: prefixEnd(prefix) }];
      const changes = { ranges, startRevision, wantsPuts: true, wantsDeletes: false, caller };
      await anyOf(eventsOf(member, changes, signal));
      continue;
    }
    if (kv.createRevision !== told?.createRevision || kv.modRevision !== told.modRevision) {
      told = kv;
      yield { kv, revision };
    }
    const changes = { ranges: [{ key: kv.key }], startRevision, wantsPuts: true, caller };
    for await (const event of eventsOf(member, { ...changes, wantsDeletes: true }, signal)) {
      if (event.type === 'delete') {
        break;
      }
      told = event.kv;
      yield { kv: event.kv, revision: event.kv.modRevision };
    }
  }
}

/** The candidate just before those created at `token`, and the revision of that look. */
async function lookAhead(
  member: MemberApi,
  { name, token }: { readonly name: Uint8Array; readonly token: number },
  { caller }: Asker,
): Promise<{ readonly before: KeyValue | undefined; readonly revision: number }> {
  const prefix = prefixOf(name);
  const { result, revision } = await member.range(
    {
      ...rangeOf({ key: prefix, rangeEnd: prefixEnd(prefix) }),
      ...{ limit: 1, sortTarget: 'create', sortOrder: 'descend', maxCreateRevision: token - 1 },
    },
    { caller },
  );
  return { before: result.kvs[0], revision };
}

/** What is to be heard of. */
type Changes = Pick<
  WatchRequest,
  'ranges' | 'startRevision' | 'wantsPuts' | 'wantsDeletes' | 'caller'
>;

/** Waits for an event, or for their end, and no longer. */
async function anyOf(events: AsyncGenerator<WatchEvent, undefined>): Promise<void> {
  await events.next();
  // What is left half-way keeps its stream of watches open.
  await events.return(undefined);
}

/** What happens to some keys; ends once `signal` has fired, or when its history is compacted. */
async function* eventsOf(
  member: MemberApi,
  changes: Changes,
  signal: AbortSignal,
): AsyncGenerator<WatchEvent, undefined> {
  const stream = member.openWatchStream();
  const close = (): void => {
    stream.close();
  };
  signal.addEventListener('abort', close);
  try {
    stream.create(0, { ...changes, prevKv: false, keysOnly: false, progressNotify: false });
    while (!signal.aborted) {
      const notice = await stream.next();
      if (notice === undefined) {
        return;
      }
      stream.sent();
      if (notice.type === 'canceled' || notice.type === 'rejected') {
        if (notice.refusal !== undefined) {
          throw new KvError(notice.refusal);
        }
        if (notice.type === 'canceled') {
          return;
        }
        throw new KvError('TOO_MANY_REQUESTS');
      }
      if (notice.type === 'events') {
        yield* notice.parts.flat();
      }
    }
  } finally {
    signal.removeEventListener('abort', close);
    stream.close();
  }
}

function createdAt(key: Uint8Array, operand: number): Compare {
  return { key, target: 'create', result: 'equal', operand };
}

function putOf(key: Uint8Array, value: Uint8Array, lease: LeaseId): PutOperation {
  return {
    ...{ type: 'put', key, value, lease, prevKv: false, ignoreValue: false, ignoreLease: false },
    ...{ ttlMs: 0, ttlRefreshOnWrite: false },
  };
}

function rangeOf(selector: {
  readonly key: Uint8Array;
  readonly rangeEnd?: Uint8Array | undefined;
}): RangeOperation {
  return {
    type: 'range',
    ...selector,
    ...{ limit: 0, revision: 0, sortOrder: 'none', sortTarget: 'key' },
    ...{ keysOnly: false, countOnly: false, noCount: false, minModRevision: 0, maxModRevision: 0 },
    ...{ minCreateRevision: 0, maxCreateRevision: 0 },
  };
}
