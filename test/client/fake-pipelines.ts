/** Members that have pipelines, answered by the test, under virtual time; and a client of them. */
import { Holdfast, type HoldfastError, type HoldfastOptions } from '../../src/client/index.ts';
import type { PipelineAnswer } from '../../src/wire/index.ts';
import {
  readOperationBatch,
  type ReceivedBatch,
  type ReceivedOperation,
} from '../../src/wire/pipeline-operations.ts';
import { FakeMembers, type ReceivedStream, virtualEnvironment } from './fake-members.ts';

export const [a, b, c] = ['127.0.0.1:1', '127.0.0.1:2', '127.0.0.1:3'] as const;

/** What a member does about an operation: answers it, or nothing. */
type Behaviour = (
  operation: ReceivedOperation,
  stream: ReceivedStream,
  batch: ReceivedBatch,
) => PipelineAnswer | undefined;

export const putDone: PipelineAnswer = { type: 'put', revision: 7, prevKv: undefined };
const found: PipelineAnswer = { type: 'range', revision: 7, kvs: [], more: false, count: 0 };
export const usual: Behaviour = ({ request }) =>
  request?.type === 'range'
    ? found
    : request?.type === 'leaseKeepAlive'
      ? { type: 'leaseKeepAlive', ttlSeconds: 60 }
      : putDone;

export function failed(code: string, isOutcomeUnknown = false): PipelineAnswer {
  const status = code === 'UNAUTHENTICATED' ? 16 : 14;
  return { type: 'failure', failure: { status, code, message: code, isOutcomeUnknown } };
}

export function setUp(options: Partial<HoldfastOptions> = {}) {
  const members = new FakeMembers();
  const environment = virtualEnvironment();
  const state = { behave: usual, leader: '0', sessions: 0 };
  const batches: { readonly address: string; readonly batch: ReceivedBatch }[] = [];
  const idOf = (address: string): string => address.slice(-1);
  members.onCall = (call) => {
    if (call.path.endsWith('/LeaseGrant')) {
      call.answer({ ID: String(++state.sessions * 100), TTL: '60' });
    } else {
      call.answer({ header: { member_id: idOf(call.address) }, leader: state.leader });
    }
  };
  members.onStream = (stream) => {
    stream.answer({
      welcome: {
        ...{ clusterId: '9', memberId: idOf(stream.address) },
        ...{ operationsMax: 4096, operationBytesMax: 16 * 1024 * 1024 },
      },
      leader: state.leader,
      answers: [],
    });
  };
  members.onMessage = (stream, message) => {
    const batch = readOperationBatch(message as Buffer);
    batches.push({ address: stream.address, batch });
    const answers = batch.operations.flatMap((operation) => {
      const answer = state.behave(operation, stream, batch);
      return answer === undefined ? [] : [{ id: operation.id, answer }];
    });
    if (answers.length > 0) {
      stream.answer({ welcome: undefined, leader: undefined, answers });
    }
  };
  const client = new Holdfast(
    { endpoints: [a, b, c], ...options },
    { transport: members, environment },
  );
  return { members, client, kv: client.kv, loop: environment.loop, state, batches };
}

export async function errorOf(promise: Promise<unknown>): Promise<HoldfastError> {
  return promise.then(
    () => Promise.reject(new Error('the call has succeeded')),
    (error: unknown) => error as HoldfastError,
  );
}

export const puts = (batch: ReceivedBatch | undefined): readonly number[] =>
  (batch?.operations ?? []).map(({ sequence }) => sequence);
