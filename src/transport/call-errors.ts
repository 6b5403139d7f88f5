/**
 * Errors that cross from one member to another: a `KvError` keeps its code on the way.
 *
 * The code travels in the trailer `holdfast-error`, a refusal of the caller in `holdfast-refusal`.
 */
import {
  Metadata,
  type ServiceError,
  status as grpcStatus,
  type StatusObject,
} from '@grpc/grpc-js';
import { type ErrorCode, errorCodes, KvError } from '../base/index.ts';
import { refusalOf } from './handshake.ts';
import type { Refusal } from './ports.ts';

const errorTrailer = 'holdfast-error';
const refusalTrailer = 'holdfast-refusal';

/** The status that ends a call because of `error`. */
export function errorToStatus(error: unknown): StatusObject {
  const metadata = new Metadata();
  if (!(error instanceof KvError)) {
    const details = error instanceof Error ? error.message : String(error);
    return { code: grpcStatus.INTERNAL, details, metadata };
  }
  metadata.set(errorTrailer, error.code);
  const refusal = refusalOf(error.details['refusal']);
  if (refusal !== undefined) {
    metadata.set(refusalTrailer, refusal);
  }
  const code = error.retryable ? grpcStatus.UNAVAILABLE : grpcStatus.FAILED_PRECONDITION;
  return { code, details: error.message, metadata };
}

/** What a failed call says of the caller, if anything. */
export function refusalIn(error: Error): Refusal | undefined {
  return refusalOf(trailerOf(error, refusalTrailer));
}

/**
 * The error of a failed call: the code that the other side gave it, else UNHEALTHY when that could
 * not be reached, TIMEOUT or INTERNAL.
 *
 * @param what - the call in words, as `fetching the snapshot of n2`
 */
export function callErrorToKvError(error: unknown, what: string): KvError {
  if (error instanceof KvError) {
    return error;
  }
  const { message } = error instanceof Error ? error : { message: String(error) };
  const details = error instanceof Error ? (error as Partial<ServiceError>).details : undefined;
  const refusal = error instanceof Error ? refusalIn(error) : undefined;
  return new KvError(codeOf(error), {
    message: `${what} failed: ${details ?? message}`,
    details: refusal === undefined ? {} : { refusal },
    cause: error,
  });
}

function codeOf(error: unknown): ErrorCode {
  const given = error instanceof Error ? trailerOf(error, errorTrailer) : undefined;
  const known = errorCodes.find((code) => code === given);
  if (known !== undefined) {
    return known;
  }
  const code = error instanceof Error ? (error as Partial<ServiceError>).code : undefined;
  switch (code) {
    // Cancelled not by this side, which knows why it does so: the other one breaks off as it stops.
    case grpcStatus.CANCELLED:
    case grpcStatus.UNAVAILABLE:
      return 'UNHEALTHY';
    case grpcStatus.DEADLINE_EXCEEDED:
      return 'TIMEOUT';
    default:
      return 'INTERNAL';
  }
}

function trailerOf(error: Error, name: string): string | undefined {
  const { metadata } = error as Partial<ServiceError>;
  const value = metadata?.get(name)[0];
  return value === undefined ? undefined : String(value);
}
