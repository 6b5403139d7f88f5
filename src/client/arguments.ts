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
  fits: (value) => (typeof value === 'string' ? isWhole(value) : value instanceof Uint8Array),
  wanted: 'text without lone surrogates, or bytes (a Uint8Array)',
};

/** A yes or no. */
export const flag: Check = {
  fits: (value) => typeof value === 'boolean',
  wanted: 'true or false',
};

/** Text that says something. */
export const text: Check = {
  fits: (value) => typeof value === 'string' && value !== '' && isWhole(value),
  wanted: 'text of one character at least, without lone surrogates',
};

/** A function, to be called back. */
export const callback: Check = {
  fits: (value) => typeof value === 'function',
  wanted: 'a function',
};

/** Revisions, counts: 0 means what members take it for. */
export const count: Check = {
  fits: (value) => Number.isSafeInteger(value) && (value as number) >= 0,
  wanted: '0 or more, a whole number',
};

/** What there has to be one of at least. */
export const positiveCount: Check = {
  fits: (value) => Number.isSafeInteger(value) && (value as number) >= 1,
  wanted: '1 or more, a whole number',
};

/** A rate, or an age. */
export const positiveNumber: Check = {
  fits: (value) => typeof value === 'number' && value > 0,
  wanted: 'more than 0',
};

/** A time to wait, by a timer. */
export const timeLimit: Check = {
  fits: (value) => typeof value === 'number' && value > 0 && value <= timeoutMaxMs,
  wanted: `milliseconds, 1 to ${timeoutMaxMs}`,
};

/** A time to wait, which may be none. */
export const waitLimit: Check = {
  fits: (value) => value === 0 || timeLimit.fits(value),
  wanted: `milliseconds, 0 to ${timeoutMaxMs}; without it there is no limit`,
};

/** A signal of anybody's making. */
export const abortSignal: Check = {
  fits: (value) => {
    const signal = value as Partial<AbortSignal> | null;
    return typeof signal?.aborted === 'boolean' && typeof signal.addEventListener === 'function';
  },
  wanted: 'an AbortSignal',
};

/** A lease, or what it is known by. */
export const lease: Check = {
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
export function oneOf(...texts: readonly string[]): Check {
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

/**
 * Whether a text can be written in UTF-8. Halves of surrogate pairs, as where a text was cut in the
 * middle of a character, would all become U+FFFD: different texts the same.
 */
export function isWhole(value: string): boolean {
  return value.isWellFormed();
}

function isLeaseId(value: unknown): boolean {
  return typeof value === 'bigint' && BigInt.asIntN(64, value) === value;
}

/**
 * Checks the fields of an object; `what` says whose they are.
 *
 * @throws {HoldfastError} INVALID_ARGUMENT — every field that is unknown, with the known ones, and
 *   that has a value that does not fit.
 */
export function checkFields(what: string, given: object, checks: Checks): void {
  const mistake = mistakeIn(what, given, checks);
  if (mistake !== undefined) {
    throw new HoldfastError('INVALID_ARGUMENT', mistake);
  }
}

/**
 * As {@link checkFields}, of something that is given alone.
 *
 * @throws {HoldfastError} INVALID_ARGUMENT
 */
export function checkValue(what: string, given: unknown, { fits, wanted }: Check): void {
  if (!fits(given)) {
    throw new HoldfastError('INVALID_ARGUMENT', `${what} is ${shown(given)}: give ${wanted}`);
  }
}

/**
 * Checks what is to be told of events; unlike options it may have fields of its own besides.
 *
 * @throws {HoldfastError} INVALID_ARGUMENT — one of the functions that it must have is missing, or
 *   what it has in the place of one is none.
 */
export function checkListener(
  given: unknown,
  { must, may }: { readonly must: readonly string[]; readonly may: readonly string[] },
): void {
  const listener = Object(given) as Readonly<Record<string, unknown>>;
  for (const name of must) {
    checkValue(`listen: ${name}`, listener[name], callback);
  }
  for (const name of may.filter((each) => listener[each] !== undefined)) {
    checkValue(`listen: ${name}`, listener[name], callback);
  }
}

/** As {@link checkFields}, the mistakes in words; undefined when there is none. */
export function mistakeIn(what: string, given: unknown, checks: Checks): string | undefined {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    return `${what}: give an object, not ${kindOf(given)}`;
  }
  let mistakes: string[] | undefined;
  for (const name in given) {
    const value = (given as Readonly<Record<string, unknown>>)[name];
    const text = Object.hasOwn(checks, name)
      ? mistakeOf(name, value, checks[name])
      : `unknown field ${JSON.stringify(name)}; known: ${namesOf(checks)}`;
    if (text !== undefined) {
      (mistakes ??= []).push(text);
    }
  }
  return mistakes && `${what}: ${mistakes.join('; ')}`;
}

function mistakeOf(name: string, value: unknown, check: Check | undefined): string | undefined {
  return value === undefined || check?.fits(value) === true
    ? undefined
    : `${name} is ${shown(value)}: give ${String(check?.wanted)}`;
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

/** Numbers, and what is empty, tell what is wrong with them; of others their kind does. */
function shown(value: unknown): string {
  return typeof value === 'number' ? String(value) : value === '' ? 'empty' : kindOf(value);
}

function namesOf(checks: Checks): string {
  return Object.keys(checks).join(', ');
}
