/**
 * Sequential models: what one store, serving one operation after the other, would answer.
 *
 * The search of `linearizability.ts` asks a model which answers are possible in which state. All
 * models here keep one value per key, so that each key is checked on its own (linearizability is
 * local); `store-model.ts` has the one for transactions over the whole store.
 */
import { InvariantViolation } from '../../src/base/index.ts';
import type { Operation } from './history.ts';

/**
 * A sequential specification. `State` must not contain undefined, which means "impossible"; `Input`
 * is plain data, equal if its JSON is.
 */
export interface Model<State, Input, Output> {
  readonly name: string;
  readonly initial: State;
  /**
   * The state after `input` was carried out in `state`, or undefined if it could not have given
   * `output` there. An undefined output is an unknown one and always possible.
   */
  step(state: State, input: Input, output: Output | undefined): State | undefined;
  /** Equal for equal states only. */
  stateKey(state: State): string;
  /** Whether the operation, with this output, changes no state whatsoever. */
  isPure(input: Input, output: Output | undefined): boolean;
  /** Whether it gives the same answer and leaves the same state whatever state it finds. */
  isBlind?(input: Input): boolean;
  /** Operations of different partitions do not influence each other. Left out: one partition. */
  partitionKey?(input: Input): string;
  /**
   * Whether no operation of `others` can have noticed `operation`: whatever order explains all of
   * them, explains the others without it, too. Left out: everything may be noticed.
   */
  isUnnoticed?(
    operation: Operation<Input, Output>,
    others: readonly Operation<Input, Output>[],
  ): boolean;
  /** Input and output as text, for timelines. */
  describe(input: Input, output: Output | undefined): string;
}

/** What a register holds; null is "nothing yet". */
export type Scalar = string | number | null;

/** What may be asked of one key's value. */
export type RegisterInput =
  | { readonly type: 'read'; readonly key: string }
  | { readonly type: 'write'; readonly key: string; readonly value: Scalar }
  | { readonly type: 'append'; readonly key: string; readonly value: string }
  | {
      readonly type: 'cas';
      readonly key: string;
      readonly expected: Scalar;
      readonly value: Scalar;
    };

/** What a register answers: the value read, whether a compare-and-set found what it expected. */
export type RegisterOutput =
  | { readonly type: 'read'; readonly value: Scalar }
  | { readonly type: 'written' }
  | { readonly type: 'cas'; readonly succeeded: boolean };

/** A model of registers, one for each key. */
export type RegisterModel = Model<Scalar, RegisterInput, RegisterOutput>;

type RegisterOperation = Operation<RegisterInput, RegisterOutput>;

/** Registers with read, write and compare-and-set. */
export function registerModel(initial: Scalar): RegisterModel {
  return {
    name: 'register',
    initial,
    step: stepRegister,
    stateKey: (state) => JSON.stringify(state),
    isPure: isPureOnRegister,
    isBlind: (input) => input.type === 'write',
    partitionKey: (input) => input.key,
    isUnnoticed: isUnnoticedWrite,
    describe: describeRegister,
  };
}

/** Texts that are read, written and appended to. */
export function appendModel(initial: string): RegisterModel {
  return {
    ...registerModel(initial),
    name: 'kv-append',
    step: stepText,
    isUnnoticed: isUnnoticedText,
  };
}

function stepRegister(
  state: Scalar,
  input: RegisterInput,
  output: RegisterOutput | undefined,
): Scalar | undefined {
  switch (input.type) {
    case 'read':
      return output?.type !== 'read' || output.value === state ? state : undefined;
    case 'write':
      return input.value;
    case 'cas': {
      const matches = state === input.expected;
      const isPossible = output?.type !== 'cas' || output.succeeded === matches;
      return isPossible ? (matches ? input.value : state) : undefined;
    }
    case 'append':
      throw new InvariantViolation('a plain register must not be appended to');
  }
}

function stepText(
  state: Scalar,
  input: RegisterInput,
  output: RegisterOutput | undefined,
): Scalar | undefined {
  return input.type === 'append'
    ? `${state ?? ''}${input.value}`
    : stepRegister(state, input, output);
}

function isPureOnRegister(input: RegisterInput, output: RegisterOutput | undefined): boolean {
  return input.type === 'read' || (output?.type === 'cas' && !output.succeeded);
}

/**
 * A write goes unnoticed if its value was not read, no compare-and-set started from it, and no
 * compare-and-set failed, which any value but the expected one may have caused. Between it and the
 * next write there is then nothing that needs it.
 */
function isUnnoticedWrite(
  { input }: RegisterOperation,
  others: readonly RegisterOperation[],
): boolean {
  if (input.type === 'read' || input.type === 'append') {
    return false;
  }
  const notices = (other: RegisterOperation): boolean => {
    if (other.input.type === 'cas') {
      const hasFailed = other.output?.type === 'cas' && !other.output.succeeded;
      return hasFailed || other.input.expected === input.value;
    }
    return other.output?.type === 'read' && other.output.value === input.value;
  };
  return others.every((other) => other.input.key !== input.key || !notices(other));
}

/** What was written or appended stays visible until the next write, so a read in between has it. */
function isUnnoticedText(
  { input }: RegisterOperation,
  others: readonly RegisterOperation[],
): boolean {
  if (input.type !== 'append' && input.type !== 'write') {
    return false;
  }
  const { value } = input;
  if (typeof value !== 'string' || value === '') {
    return false;
  }
  const notices = ({ input: { type }, output }: RegisterOperation): boolean =>
    type === 'cas' || (output?.type === 'read' && String(output.value).includes(value));
  return others.every((other) => other.input.key !== input.key || !notices(other));
}

function describeRegister(input: RegisterInput, output: RegisterOutput | undefined): string {
  const answer = output === undefined ? '?' : describeOutput(output);
  switch (input.type) {
    case 'read':
      return `read ${input.key}: ${answer}`;
    case 'cas':
      return (
        `cas ${input.key} from ${JSON.stringify(input.expected)} ` +
        `to ${JSON.stringify(input.value)}: ${answer}`
      );
    case 'write':
    case 'append':
      return `${input.type} ${input.key} ${JSON.stringify(input.value)}: ${answer}`;
  }
}

function describeOutput(output: RegisterOutput): string {
  switch (output.type) {
    case 'read':
      return JSON.stringify(output.value);
    case 'written':
      return 'ok';
    case 'cas':
      return output.succeeded ? 'ok' : 'failed';
  }
}

/** A key's value and the number of changes since its creation. */
export interface VersionedValue {
  readonly value: string;
  readonly version: number;
}

/** What may be asked of one key with a version; version 0 is "there is no such key". */
export type VersionedInput =
  | { readonly type: 'get'; readonly key: string }
  | { readonly type: 'put'; readonly key: string; readonly value: string }
  | { readonly type: 'delete'; readonly key: string }
  | {
      readonly type: 'putIfVersion';
      readonly key: string;
      readonly version: number;
      readonly value: string;
    };

/** What it answers; `found` null means that there was no such key. */
export type VersionedOutput =
  | { readonly type: 'get'; readonly found: VersionedValue | null }
  | { readonly type: 'put' }
  | { readonly type: 'delete'; readonly deleted: boolean }
  | { readonly type: 'putIfVersion'; readonly succeeded: boolean };

/** Keys with versions, each on its own, as etcd counts them: a deletion starts over. */
export const versionedModel: Model<VersionedValue | null, VersionedInput, VersionedOutput> = {
  name: 'kv-versioned',
  initial: null,
  step: stepVersioned,
  stateKey: (state) => (state === null ? '' : `${state.version} ${state.value}`),
  isPure: (input, output) =>
    input.type === 'get' ||
    (output?.type === 'delete' && !output.deleted) ||
    (output?.type === 'putIfVersion' && !output.succeeded),
  partitionKey: (input) => input.key,
  describe: describeVersioned,
};

function stepVersioned(
  state: VersionedValue | null,
  input: VersionedInput,
  output: VersionedOutput | undefined,
): VersionedValue | null | undefined {
  const version = state?.version ?? 0;
  switch (input.type) {
    case 'get':
      return output?.type !== 'get' || isSameVersion(output.found, state) ? state : undefined;
    case 'put':
      return { value: input.value, version: version + 1 };
    case 'delete':
      return output?.type !== 'delete' || output.deleted === version > 0 ? null : undefined;
    case 'putIfVersion': {
      const matches = version === input.version;
      if (output?.type === 'putIfVersion' && output.succeeded !== matches) {
        return undefined;
      }
      return matches ? { value: input.value, version: version + 1 } : state;
    }
  }
}

function isSameVersion(a: VersionedValue | null, b: VersionedValue | null): boolean {
  return a?.version === b?.version && a?.value === b?.value;
}

function describeVersioned(input: VersionedInput, output: VersionedOutput | undefined): string {
  const answer = output === undefined ? '?' : describeVersionedOutput(output);
  switch (input.type) {
    case 'get':
    case 'delete':
      return `${input.type} ${input.key}: ${answer}`;
    case 'put':
    case 'putIfVersion': {
      const condition = input.type === 'put' ? '' : ` if version ${input.version}`;
      return `put ${input.key} ${JSON.stringify(input.value)}${condition}: ${answer}`;
    }
  }
}

function describeVersionedOutput(output: VersionedOutput): string {
  switch (output.type) {
    case 'get':
      return output.found === null
        ? 'none'
        : `${JSON.stringify(output.found.value)} version ${output.found.version}`;
    case 'put':
      return 'ok';
    case 'delete':
      return output.deleted ? 'deleted' : 'none';
    case 'putIfVersion':
      return output.succeeded ? 'ok' : 'failed';
  }
}
