/**
 * Checks of what callers hand over: plain JavaScript has no types, and a misspelt or mistyped
 * option that is passed over in silence does something else than was meant.
 *
 * An object is checked against a table of its fields; those that are `undefined` count as absent,
 * but have to have a known name. Nothing is allocated while everything is right.
 */
import { HoldfastError } from './errors.ts';

/** Whether a value fits, and what would, in words. */
export interface Check {
  readonly fits: (value: unknown) => boolean;
  readonly wanted: string;
}

/** The fields that an object may have. */
export type Checks = Readonly<Record<string, Check>>;

/** The longest time that Node's timers take. */
export const timeoutMaxMs = 2 ** 31 - 1;
/** Limit: characters of a request's name, as members take it. */
const idempotencyKeyMax = 128;

/** A key, or an end of a range. */
export const key: Check = {
  fits: (value) => typeof value === 'string' || value instanceof Uint8Array,
  wanted: 'text or bytes (a Uint8Array)',
};

/** A yes or no. */
export const flag: Check = {
  fits: (value) => typeof value === 'boolean',
  wanted: 'true or false',
};

/** Revisions, counts: 0 means what members take it for. */
const count: Check = {
  fits: (value) => Number.isSafeInteger(value) && (value as number) >= 0,
  wanted: '0 or more, a whole number',
};

const positiveCount: Check = {
  fits: (value) => Number.isSafeInteger(value) && (value as number) >= 1,
  wanted: '1 or more, a whole number',
};

const timeLimit: Check = {
  fits: (value) => typeof value === 'number' && value > 0 && value <= timeoutMaxMs,
  wanted: `milliseconds, 1 to ${timeoutMaxMs}`,
};

const abortSignal: Check = {
  fits: (value) => {
    const signal = value as Partial<AbortSignal> | null;
    return typeof signal?.aborted === 'boolean' && typeof signal.addEventListener === 'function';
  },
  wanted: 'an AbortSignal',
};

const lease: Check = {
  fits: (value) => isLeaseId(value) || isLeaseId((value as { readonly id?: unknown } | null)?.id),
  wanted: 'a lease, or its id as a bigint',
};

/** As members take it: Latin-1. */
const idempotencyKey: Check = {
  fits: (value) =>
    typeof value === 'string' &&
    value.length >= 1 &&
    value.length <= idempotencyKeyMax &&
    Buffer.from(value, 'latin1').toString('latin1') === value,
  wanted: `1 to ${idempotencyKeyMax} characters of Latin-1`,
};

/** One of these texts. */
function oneOf(...texts: readonly string[]): Check {
  return {
    fits: (value) => texts.includes(value as string),
    wanted: texts.map((each) => `'${each}'`).join(' or '),
  };
}

const call: Checks = { timeoutMs: timeLimit, signal: abortSignal };
const read: Checks = {
  consistency: oneOf('linearizable', 'serializable'),
  ...{ atRevision: count, noOlderThan: count, ...call },
};
const write: Checks = { idempotencyKey, ...call };
const leased: Checks = { lease, ttlMs: count };

/** The options of calls on keys (`kv-types.ts`). */
export const optionChecks = {
  ...{ call, read, write, leased },
  put: { ...leased, ...write },
  range: {
    limit: count,
    order: oneOf('ascending', 'descending'),
    orderBy: oneOf('key', 'modRevision'),
    ...read,
  },
  scan: { pageEntries: positiveCount, ...read },
  watch: {
    only: oneOf('put', 'delete'),
    ...{ startRevision: positiveCount, previous: flag, signal: abortSignal },
  },
} as const satisfies Readonly<Record<string, Checks>>;

function isLeaseId(value: unknown): boolean {
  return typeof value === 'bigint' && BigInt.asIntN(64, value) === value;
}

/**
 * Checks the fields of an object; `what` says whose they are.
 *
 * @throws {HoldfastError} INVALID_ARGUMENT — the first field that is unknown, with the known ones,
 *   or that has a value that does not fit.
 */
export function checkFields(what: string, given: object, checks: Checks): void {
  const mistake = mistakeIn(what, given, checks);
  if (mistake !== undefined) {
    throw new HoldfastError('INVALID_ARGUMENT', mistake);
  }
}

/** As {@link checkFields}, the mistake in words; undefined when there is none. */
export function mistakeIn(what: string, given: unknown, checks: Checks): string | undefined {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    return `${what}: give an object, not ${kindOf(given)}`;
  }
  for (const name in given) {
    if (!Object.hasOwn(checks, name)) {
      return `${what}: unknown field ${JSON.stringify(name)}; known: ${namesOf(checks)}`;
    }
    const value = (given as Readonly<Record<string, unknown>>)[name];
    if (value !== undefined && checks[name]?.fits(value) !== true) {
      return `${what}: ${name} is ${shown(value)}: give ${String(checks[name]?.wanted)}`;
    }
  }
  return undefined;
}

/** Of what kind a value is; values themselves may be secrets. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) {
    return String(value);
  }
  if (typeof value !== 'object') {
    return `a ${typeof value}`;
  }
  return Array.isArray(value) ? 'an array' : 'an object';
}

/** Numbers tell what is wrong with them; of others their kind does. */
function shown(value: unknown): string {
  return typeof value === 'number' ? String(value) : kindOf(value);
}

function namesOf(checks: Checks): string {
  return Object.keys(checks).join(', ');
}
