import { Metadata, type StatusObject, status } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { errorCodes, KvError } from '../../src/base/index.ts';
import { callErrorToKvError, errorToStatus, refusalIn } from '../../src/transport/call-errors.ts';
import { refusalError } from '../../src/transport/handshake.ts';

/** What the caller gets of a status. */
function serviceError({ code, details, metadata }: StatusObject): Error {
  return Object.assign(new Error(`${code}: ${details}`), { code, details, metadata });
}

function plain(code: status, details = 'oh'): Error {
  return serviceError({ code, details, metadata: new Metadata() });
}

describe('an error that crosses to another member', () => {
  test.each(errorCodes)('keeps its code %s and its words', (code) => {
    const cause = serviceError(errorToStatus(new KvError(code, { message: 'why' })));

    const error = callErrorToKvError(cause, 'asking n2');

    expect(error).toMatchObject({ code, message: 'asking n2 failed: why', cause });
  });

  test('keeps the refusal it stands for', () => {
    const cause = serviceError(errorToStatus(refusalError(3, 'lost-data')));

    expect(refusalIn(cause)).toBe('lost-data');
    expect(callErrorToKvError(cause, 'asking n2').details).toEqual({ refusal: 'lost-data' });
  });

  test('that a retry may mend says so to any gRPC client', () => {
    expect(errorToStatus(new KvError('TOO_MANY_REQUESTS')).code).toBe(status.UNAVAILABLE);
    expect(errorToStatus(new KvError('MEMBER_REMOVED')).code).toBe(status.FAILED_PRECONDITION);
  });

  test('that is a defect is told as one', () => {
    const { code, details } = errorToStatus(new TypeError('x is undefined'));

    expect([code, details]).toEqual([status.INTERNAL, 'x is undefined']);
  });
});

describe('a call that fails on its way', () => {
  test.each([
    [status.UNAVAILABLE, 'UNHEALTHY'],
    [status.CANCELLED, 'UNHEALTHY'],
    [status.DEADLINE_EXCEEDED, 'TIMEOUT'],
    [status.INTERNAL, 'INTERNAL'],
  ])('with status %i is %s', (code, expected) => {
    expect(callErrorToKvError(plain(code), 'asking n2')).toMatchObject({
      code: expected,
      message: 'asking n2 failed: oh',
      details: {},
    });
    expect(refusalIn(plain(code))).toBeUndefined();
  });

  test('with a code that is not known here goes by its gRPC status', () => {
    const metadata = new Metadata();
    metadata.set('holdfast-error', 'OF_THE_FUTURE');
    const cause = serviceError({ code: status.UNAVAILABLE, details: 'oh', metadata });

    expect(callErrorToKvError(cause, 'asking n2').code).toBe('UNHEALTHY');
  });

  test('before it has left this member keeps the error as it is', () => {
    const error = new KvError('STOPPED');

    expect(callErrorToKvError(error, 'asking n2')).toBe(error);
    expect(callErrorToKvError('thrown', 'asking n2').message).toBe('asking n2 failed: thrown');
  });
});
