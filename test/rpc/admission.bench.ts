/**
 * What the gate costs a call beside what grpc-js costs anyway:
 * `npx vitest bench test/rpc/admission.bench.ts`.
 */
import { Metadata, type ServerInterceptingCallInterface, status } from '@grpc/grpc-js';
import { bench, describe } from 'vitest';
import { Metrics } from '../../src/observability/index.ts';
import { Admission } from '../../src/rpc/admission.ts';
import { measured } from '../../src/rpc/measured.ts';
import { services } from '../../src/wire/index.ts';
import { VirtualLoop } from '../harness/virtual-loop.ts';
import { farAdmission, farLimits } from './admitting.ts';

type Listener = Parameters<ServerInterceptingCallInterface['start']>[0];

const { Put } = services['etcdserverpb.KV'];
const { Put: measuredPut } = measured({
  Put: {
    ...Put,
    requestDeserialize: (_bytes: Buffer) => ({ lease: '0' }),
    responseSerialize: (_response: object) => answer,
  },
});
const request = Buffer.alloc(300);
const answer = Buffer.alloc(30);
const ok = { code: status.OK, details: 'OK' };
const metadata = new Metadata();

/** A call without a wire: it hands on what it is given. */
class BareCall implements ServerInterceptingCallInterface {
  listener: Listener | undefined;
  readonly #connection: { readonly remoteAddress: string; readonly remotePort: number };

  constructor(remotePort: number) {
    this.#connection = { remoteAddress: '127.0.0.1', remotePort };
  }

  start(listener: Listener): void {
    this.listener = listener;
    listener.onReceiveMetadata(metadata);
  }

  sendMessage(_message: unknown, callback: () => void): void {
    measuredPut.responseSerialize({});
    callback();
  }

  sendStatus(): void {
    this.listener?.onCancel();
  }

  sendMetadata(): void {
    // Goes nowhere.
  }

  startRead(): void {
    // What comes is handed over anyway.
  }

  getConnectionInfo(): { readonly remoteAddress: string; readonly remotePort: number } {
    return this.#connection;
  }

  getPeer = (): string => '';
  getDeadline = (): number => Number.POSITIVE_INFINITY;
  getHost = (): string => '';
  getAuthContext = (): object => ({});
  getMetricsRecorder = (): never => {
    throw new Error('nobody records metrics');
  };
}

function admissionWith(clientRequestsPerSecond: number): Admission {
  return new Admission({
    ...{ ...farAdmission, metrics: new Metrics(), requestBytesMax: 1e6, timers: new VirtualLoop() },
    limits: { ...farLimits, clientRequestsPerSecond },
  });
}

/** A thousand puts over a hundred connections. */
function thousandPuts(admission: Admission | undefined): void {
  for (let at = 0; at < 1000; at++) {
    const bare = new BareCall(at % 100);
    const call = admission === undefined ? bare : admission.interceptor(Put, bare);
    call.start({
      onReceiveMetadata: () => call.startRead(),
      onReceiveMessage: () => call.startRead(),
      onReceiveHalfClose: () => call.sendMessage({}, () => call.sendStatus(ok)),
      onCancel: () => undefined,
    });
    bare.listener?.onReceiveMessage(measuredPut.requestDeserialize(request));
    bare.listener?.onReceiveHalfClose();
  }
}

describe('a thousand calls', () => {
  const [plain, rated] = [admissionWith(0), admissionWith(1e9)];

  bench('without the gate', () => thousandPuts(undefined));
  bench('through the gate', () => thousandPuts(plain));
  bench('through the gate, with a limit to their rate', () => thousandPuts(rated));
});
