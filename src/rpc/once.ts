/**
 * Requests that take effect at most once (G4): what a call's metadata says of the request that it
 * is an attempt of.
 *
 * | metadata                     | means                                                    |
 * |------------------------------|----------------------------------------------------------|
 * | `idempotency-key`            | the request's name, 1 to 128 bytes, chosen by the caller |
 * | `holdfast-session`           | the session: the id of a lease, in decimal               |
 * | `holdfast-sequence`          | the request's number in the session, from 1 on           |
 * | `holdfast-lowest-unanswered` | all answers to lower numbers have arrived                |
 *
 * An answer that an earlier attempt was given comes with `holdfast-repeated: true`.
 */
import { Metadata } from '@grpc/grpc-js';
import { KvError } from '../base/index.ts';
import type {
  CommandResult,
  OnceCommand,
  OnceOperation,
  RequestId,
  SessionRequest,
} from '../kv/index.ts';
import type { CallOptions } from '../replica/index.ts';
import { type Cancellable, chargeOf, type ServiceContext } from './service.ts';
import { checkWrittenAnswer, readsManyKeys } from './written-answers.ts';

/** The part of a call that this page looks at. */
export interface OnceCall extends Cancellable {
  readonly metadata: Metadata;
  sendMetadata(metadata: Metadata): void;
}

/** An attempt to have something done. */
export interface OnceAttempt {
  readonly operation: OnceOperation;
  /** What the caller asked for, if the server has filled in something. */
  readonly asked?: OnceOperation;
  readonly options: CallOptions;
}

/** What a command gives back when it is carried out. */
export type CommandAnswer = Extract<CommandResult, { readonly kind: 'ok' }>;

/**
 * Has the member do something: at most once, if the call says of which request it is an attempt.
 *
 * @throws {KvError} INVALID_ARGUMENT — what the call says makes no sense; what the member throws;
 *   why the command was refused.
 */
export async function proposeOnce(
  context: ServiceContext,
  call: OnceCall,
  { operation, asked, options }: OnceAttempt,
): Promise<CommandAnswer> {
  const id = requestIdOf(call.metadata, context.idempotencyKeyBytesMax);
  const command = commandOf(context, id, operation, asked);
  if (readsManyKeys(command)) {
    const charge = chargeOf(context, call);
    await checkWrittenAnswer(context, command, { ...options, charge });
  }
  const answer = answerOf(await context.member.propose(command, options));
  if (answer.isRepeated === true) {
    const metadata = new Metadata();
    metadata.set('holdfast-repeated', 'true');
    call.sendMetadata(metadata);
  }
  return answer;
}

/** The command that asks for an attempt: at most once, if the request has a name. */
export function commandOf(
  { fingerprintOf }: ServiceContext,
  id: RequestId | undefined,
  operation: OnceOperation,
  asked = operation,
): OnceOperation | OnceCommand {
  return id === undefined
    ? operation
    : { type: 'once', id, fingerprint: fingerprintOf(asked), command: operation };
}

/**
 * What a command has given back.
 *
 * @throws {KvError} why it was refused.
 */
export function answerOf(result: CommandResult): CommandAnswer {
  if (result.kind === 'refused') {
    throw new KvError(result.code);
  }
  return result;
}

/**
 * The request that a call is an attempt of; undefined when it does not say.
 *
 * @throws {KvError} INVALID_ARGUMENT — it says something that makes no sense.
 *
 * @internal for tests.
 */
export function requestIdOf(metadata: Metadata, keyBytesMax: number): RequestId | undefined {
  const key = textOf(metadata, 'idempotency-key');
  const session = textOf(metadata, 'holdfast-session');
  if (session === undefined) {
    return key === undefined ? undefined : keyedRequest(Buffer.from(key, 'latin1'), keyBytesMax);
  }
  if (key !== undefined) {
    throw invalid('a request has an idempotency-key or a holdfast-session, not both');
  }
  return sessionRequest(leaseOf(session), {
    sequence: numberOf(metadata, 'holdfast-sequence'),
    lowestUnanswered: numberOf(metadata, 'holdfast-lowest-unanswered'),
  });
}

/**
 * A request by its number in a session.
 *
 * @throws {KvError} INVALID_ARGUMENT — the numbers contradict each other.
 */
export function sessionRequest(
  session: bigint,
  { sequence, lowestUnanswered }: Pick<SessionRequest, 'sequence' | 'lowestUnanswered'>,
): RequestId {
  if (lowestUnanswered > sequence) {
    throw invalid(
      `holdfast-lowest-unanswered ${lowestUnanswered} is above holdfast-sequence ${sequence}`,
    );
  }
  return { type: 'session', session, sequence, lowestUnanswered };
}

/**
 * A request by the name that its caller has chosen.
 *
 * @throws {KvError} INVALID_ARGUMENT — the name is too long, or empty.
 */
export function keyedRequest(key: Buffer, bytesMax: number): RequestId {
  if (key.length === 0 || key.length > bytesMax) {
    throw invalid(`an idempotency-key has 1 to ${bytesMax} bytes, not ${key.length}`);
  }
  return { type: 'key', key };
}

/** The id of a session; one beyond 64 bits would be taken for another session's. */
function leaseOf(text: string): bigint {
  const id = /^-?\d{1,19}$/.test(text) ? BigInt(text) : undefined;
  if (id === undefined || BigInt.asIntN(64, id) !== id) {
    throw invalid(`holdfast-session ${text} is no id of a lease in decimal`);
  }
  return id;
}

function numberOf(metadata: Metadata, name: string): number {
  const text = textOf(metadata, name);
  const number = Number(text);
  if (text === undefined || !Number.isSafeInteger(number) || number < 1) {
    throw invalid(`${name} ${text ?? 'is missing, it'} must be a whole number from 1 on`);
  }
  return number;
}

function textOf(metadata: Metadata, name: string): string | undefined {
  const [value] = metadata.get(name);
  return value?.toString();
}

function invalid(what: string): KvError {
  return new KvError('INVALID_ARGUMENT', { message: `holdfast: ${what}` });
}
