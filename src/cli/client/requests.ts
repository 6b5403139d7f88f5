/**
 * The arguments of put, get and del, and the requests they make; on the command line and in a
 * transaction alike.
 *
 * Keys and values are bytes. From the command line they come as UTF-8, in a transaction's text each
 * character is a byte.
 */
import { type Command, InvalidArgumentError } from 'commander';
import { prefixEnd } from '../../base/index.ts';
import { services } from '../../wire/index.ts';
import type { Method } from './connection.ts';
import { parseCount, parseDuration, parseOneOf, usageError } from './options.ts';

type Services = typeof services;

/** The methods that commands call; the contracts are loaded when the first is asked for. */
export const methods = {
  /** Of the key-value service. */
  get kv(): Services['etcdserverpb.KV'] {
    return services['etcdserverpb.KV'];
  },
  /** About users and roles. */
  get auth(): Services['etcdserverpb.Auth'] {
    return services['etcdserverpb.Auth'];
  },
  /** About members. */
  get cluster(): Services['etcdserverpb.Cluster'] {
    return services['etcdserverpb.Cluster'];
  },
  /** About leases. */
  get lease(): Services['etcdserverpb.Lease'] {
    return services['etcdserverpb.Lease'];
  },
  /** About locks. */
  get lock(): Services['v3lockpb.Lock'] {
    return services['v3lockpb.Lock'];
  },
  /** About elections. */
  get election(): Services['v3electionpb.Election'] {
    return services['v3electionpb.Election'];
  },
  /** About one member's upkeep. */
  get maintenance(): Services['etcdserverpb.Maintenance'] {
    return services['etcdserverpb.Maintenance'];
  },
  /** Of watches. */
  get watch(): Services['etcdserverpb.Watch'] {
    return services['etcdserverpb.Watch'];
  },
  /** Those that only Holdfast has. */
  get admin(): Services['holdfast.v1.Admin'] {
    return services['holdfast.v1.Admin'];
  },
};

/** What a method takes. */
export type RequestOf<M> = M extends Method<infer Request, unknown> ? Request : never;
/** What a method answers, defaults filled in. */
export type AnswerOf<M> = M extends Method<never, infer Answer> ? Answer : never;

type PutRequest = RequestOf<typeof methods.kv.Put>;
type RangeRequest = RequestOf<typeof methods.kv.Range>;
type DeleteRangeRequest = RequestOf<typeof methods.kv.DeleteRange>;

/** How an argument's characters stand for bytes. */
export type ArgumentEncoding = 'utf8' | 'latin1';

/** Options of `put` besides its arguments. */
export interface PutOptions {
  readonly prevKv?: true;
  readonly ignoreValue?: true;
  readonly ignoreLease?: true;
  /** Decimal, as the wire takes it. */
  readonly lease?: string;
  /** Milliseconds. */
  readonly ttl?: number;
  readonly ttlRefreshOnWrite?: true;
}

const sortTargets = {
  CREATE: 'CREATE',
  KEY: 'KEY',
  MODIFY: 'MOD',
  VALUE: 'VALUE',
  VERSION: 'VERSION',
} as const;

/** Options of `get` besides its arguments. */
export interface GetOptions {
  readonly prefix?: true;
  readonly fromKey?: true;
  readonly limit?: number;
  readonly order?: 'ASCEND' | 'DESCEND';
  readonly sortBy?: keyof typeof sortTargets;
  readonly rev?: number;
  readonly consistency?: 'l' | 's';
  readonly keysOnly?: true;
  readonly countOnly?: true;
  readonly printValueOnly?: true;
  readonly minModRev?: number;
  readonly maxModRev?: number;
  readonly minCreateRev?: number;
  readonly maxCreateRev?: number;
  readonly remainingTtl?: true;
}

/** Options of `del` besides its arguments. */
export interface DeleteOptions {
  readonly prefix?: true;
  readonly fromKey?: true;
  readonly prevKv?: true;
}

/** Adds the arguments and options of `put`. */
export function describePut(command: Command): Command {
  return command
    .argument('<key>', 'key to write')
    .argument('[value]', 'its value; read from standard input when absent')
    .option('--prev-kv', 'also return the key as it was before')
    .option('--ignore-value', 'keep the value, renew the rest')
    .option('--ignore-lease', 'keep the lease')
    .option('--lease <id>', 'lease to attach the key to, in hexadecimal', parseLeaseId)
    .option('--ttl <duration>', 'how long the key is to last, as in 30s', parseDuration)
    .option('--ttl-refresh-on-write', 'later puts without --ttl begin that time anew');
}

/** Adds the arguments and options of `get`. */
export function describeGet(command: Command): Command {
  return command
    .argument('<key>', 'key to read, or the first of a range')
    .argument('[range_end]', 'end of the range, itself not read')
    .option('--prefix', 'read all keys that begin with the key')
    .option('--from-key', 'read all keys from the key on')
    .option('--limit <count>', 'at most so many keys; 0 is all', parseCount)
    .option('--order <order>', 'ASCEND or DESCEND', parseOneOf(['ASCEND', 'DESCEND']))
    .option(
      '--sort-by <target>',
      'CREATE, KEY, MODIFY, VALUE or VERSION',
      parseOneOf(['CREATE', 'KEY', 'MODIFY', 'VALUE', 'VERSION']),
    )
    .option('--rev <revision>', 'read as of this revision; 0 is now', parseCount)
    .option(
      '--consistency <level>',
      'l: linearizable, or s: serializable, what the member knows (default l)',
      parseOneOf(['l', 's']),
    )
    .option('--keys-only', 'without values')
    .option('--count-only', 'how many keys there are, without them')
    .option('--print-value-only', 'print values without keys')
    .option('--min-mod-rev <revision>', 'only keys changed at it or later', parseCount)
    .option('--max-mod-rev <revision>', 'only keys changed at it or before', parseCount)
    .option('--min-create-rev <revision>', 'only keys created at it or later', parseCount)
    .option('--max-create-rev <revision>', 'only keys created at it or before', parseCount)
    .option('--remaining-ttl', 'in json and fields: what is left of the times of keys, too');
}

/** Adds the arguments and options of `del`. */
export function describeDelete(command: Command): Command {
  return command
    .argument('<key>', 'key to delete, or the first of a range')
    .argument('[range_end]', 'end of the range, itself not deleted')
    .option('--prefix', 'delete all keys that begin with the key')
    .option('--from-key', 'delete all keys from the key on')
    .option('--prev-kv', 'also return what was deleted');
}

/**
 * The request of a put; a value that is absent must be ignored.
 *
 * @throws {ExitError} the arguments contradict each other
 */
export function putRequest(
  key: Buffer,
  value: Buffer | undefined,
  options: PutOptions,
): PutRequest {
  if (key.length === 0) {
    throw usageError('put', 'the key must not be empty');
  }
  if (value !== undefined && options.ignoreValue === true) {
    throw usageError('put', '--ignore-value keeps the value there is: leave out the value');
  }
  if (value === undefined && options.ignoreValue !== true) {
    throw usageError('put', 'needs a key and a value');
  }
  if (options.lease !== undefined && options.ignoreLease === true) {
    throw usageError('put', '--lease and --ignore-lease exclude each other');
  }
  if (options.ttlRefreshOnWrite === true && options.ttl === undefined) {
    throw usageError('put', '--ttl-refresh-on-write needs a --ttl');
  }
  return {
    key,
    value: value ?? Buffer.alloc(0),
    lease: options.lease ?? 0,
    prev_kv: options.prevKv === true,
    ignore_value: options.ignoreValue === true,
    ignore_lease: options.ignoreLease === true,
    ttl_ms: options.ttl ?? 0,
    ttl_refresh_on_write: options.ttlRefreshOnWrite === true,
  };
}

/**
 * The request of a get.
 *
 * @throws {ExitError} the arguments contradict each other
 */
export function getRequest(
  key: Buffer,
  rangeEnd: Buffer | undefined,
  options: GetOptions,
): RangeRequest {
  if (options.keysOnly === true && options.countOnly === true) {
    throw usageError('get', '--keys-only and --count-only exclude each other');
  }
  if (options.printValueOnly === true && (options.keysOnly ?? options.countOnly) === true) {
    throw usageError('get', '--print-value-only excludes --keys-only and --count-only');
  }
  return {
    ...rangeOf('get', key, rangeEnd, options),
    limit: options.limit ?? 0,
    revision: options.rev ?? 0,
    sort_order: options.order ?? 'NONE',
    sort_target: sortTargets[options.sortBy ?? 'KEY'],
    serializable: options.consistency === 's',
    keys_only: options.keysOnly === true,
    count_only: options.countOnly === true,
    min_mod_revision: options.minModRev ?? 0,
    max_mod_revision: options.maxModRev ?? 0,
    min_create_revision: options.minCreateRev ?? 0,
    max_create_revision: options.maxCreateRev ?? 0,
    remaining_ttl: options.remainingTtl === true,
  };
}

/**
 * The request of a del.
 *
 * @throws {ExitError} the arguments contradict each other
 */
export function deleteRequest(
  key: Buffer,
  rangeEnd: Buffer | undefined,
  options: DeleteOptions,
): DeleteRangeRequest {
  return { ...rangeOf('del', key, rangeEnd, options), prev_kv: options.prevKv === true };
}

/**
 * The bytes of an argument.
 *
 * @throws {ExitError} the shell's bytes were no UTF-8, so that they are lost already
 */
export function bytesOf(command: string, argument: string, encoding: ArgumentEncoding): Buffer {
  if (encoding === 'utf8' && argument.includes('\ufffd')) {
    throw usageError(
      command,
      'an argument is not valid UTF-8; give a value on standard input, ' +
        'or a key as "\\xff" to "holdfast txn"',
    );
  }
  return Buffer.from(argument, encoding);
}

/**
 * A single key, or a range in etcd's terms: up to `\0` is up to the end, from `\0` from the start.
 */
export function rangeOf(
  command: string,
  key: Buffer,
  rangeEnd: Buffer | undefined,
  options: { readonly prefix?: true; readonly fromKey?: true },
): { readonly key: Buffer; readonly range_end: Buffer } {
  const { prefix = false, fromKey = false } = options;
  if (prefix && fromKey) {
    throw usageError(command, '--prefix and --from-key exclude each other: choose one');
  }
  if (rangeEnd !== undefined && (prefix || fromKey)) {
    throw usageError(command, 'takes no range_end together with --prefix or --from-key');
  }
  const toEnd = Buffer.alloc(1);
  if (key.length === 0) {
    if (!prefix && !fromKey) {
      throw usageError(command, 'the key must not be empty; all keys are "" --prefix');
    }
    return { key: Buffer.alloc(1), range_end: toEnd };
  }
  if (prefix) {
    return { key, range_end: Buffer.from(prefixEnd(key) ?? toEnd) };
  }
  return { key, range_end: fromKey ? toEnd : (rangeEnd ?? Buffer.alloc(0)) };
}

/** A lease's id in decimal, from hexadecimal. */
export function parseLeaseId(text: string): string {
  const id = /^[0-9a-f]{1,16}$/i.test(text) ? BigInt(`0x${text}`) : -1n;
  if (id < 0n || id >= 2n ** 63n) {
    throw new InvalidArgumentError('It must be the id of a lease, in hexadecimal.');
  }
  return id.toString();
}
