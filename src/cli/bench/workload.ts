/**
 * What is sent: the stream of requests of a workload, made from a seed.
 *
 * Keys are numbers in hexadecimal, padded to the key size, so that they read well in `etcdctl`.
 * Values are pieces of one block of random bytes, which no compression can shrink, at hardly any
 * cost per request.
 */
import { createPrng, type Prng } from '../../base/index.ts';
import { services } from '../../wire/index.ts';
import { frameMessage, framePut, frameRange, frameTxn, type KeyValuePair } from './requests.ts';

/** The workloads by name. */
export const workloadNames = ['put', 'range', 'mixed', 'txn', 'lease-grant'] as const;

/** See {@link workloadNames}. */
export type WorkloadName = (typeof workloadNames)[number];

/** What a workload consists of. */
export interface WorkloadOptions {
  readonly workload: WorkloadName;
  /** Reads see every write answered before them, or just what the member has. */
  readonly consistency: 'linearizable' | 'serializable';
  /** Bytes of a key, of a value. */
  readonly keySizeBytes: number;
  readonly valueSizeBytes: number;
  /** Number of different keys; at most 16 to the power of the key size. */
  readonly keySpace: number;
  /** Keys in turn, or by chance. */
  readonly keyOrder: 'sequential' | 'random';
  /** Share of reads in `mixed`, 0 to 1. */
  readonly readRatio: number;
  readonly seed: number;
}

/** One request: the path of its method, and the bytes. */
export interface WorkloadRequest {
  readonly path: string;
  readonly frame: Buffer;
}

const { Put, Range, Txn } = services['etcdserverpb.KV'];
const { LeaseGrant } = services['etcdserverpb.Lease'];

/** Of leases that are to stay while anything is measured; seconds. */
export const stayingLeaseTtl = 3600;

/** Block that values are cut from, besides one value's length. */
const randomBlockBytes = 64 * 1024;
/** Puts of one transaction while filling; etcd allows 128 operations. */
const fillPutsMax = 100;
/** Bytes of one such transaction, unless a single put has more; a request may have 1.5 MiB. */
const fillBytesMax = 1024 * 1024;
const ratioSteps = 1_000_000;

/** See the module comment. */
export class Workload {
  readonly #options: WorkloadOptions;
  readonly #prng: Prng;
  readonly #randomBlock: Buffer;
  #nextKey = 0;

  constructor(options: WorkloadOptions) {
    this.#options = options;
    this.#prng = createPrng(options.seed);
    this.#randomBlock = Buffer.alloc(randomBlockBytes + options.valueSizeBytes);
    for (let i = 0; i < this.#randomBlock.length; i++) {
      this.#randomBlock[i] = this.#prng.nextInt(0, 256);
    }
  }

  /** The next request; the same seed gives the same sequence. */
  next(): WorkloadRequest {
    switch (this.#options.workload) {
      case 'put':
        return this.#put();
      case 'range':
        return this.#range();
      case 'mixed':
        return this.#prng.nextInt(0, ratioSteps) < this.#options.readRatio * ratioSteps
          ? this.#range()
          : this.#put();
      case 'txn':
        return { path: Txn.path, frame: frameTxn([this.#pair(this.#pickKey())]) };
      case 'lease-grant':
        return { path: LeaseGrant.path, frame: leaseGrantFrame };
    }
  }

  /** Requests that write every key once, so that reads find something. */
  *fill(): Generator<WorkloadRequest, void> {
    const { keySpace, keySizeBytes, valueSizeBytes } = this.#options;
    const fitting = Math.floor(fillBytesMax / (keySizeBytes + valueSizeBytes));
    const step = Math.min(fillPutsMax, Math.max(1, fitting));
    for (let key = 0; key < keySpace; key += step) {
      const count = Math.min(step, keySpace - key);
      const puts = Array.from({ length: count }, (_, i) => this.#pair(key + i));
      yield { path: Txn.path, frame: frameTxn(puts) };
    }
  }

  #put(): WorkloadRequest {
    return { path: Put.path, frame: framePut(this.#pair(this.#pickKey())) };
  }

  #range(): WorkloadRequest {
    const isSerializable = this.#options.consistency === 'serializable';
    return { path: Range.path, frame: frameRange(this.#key(this.#pickKey()), isSerializable) };
  }

  #pickKey(): number {
    if (this.#options.keyOrder === 'random') {
      return this.#prng.nextInt(0, this.#options.keySpace);
    }
    const key = this.#nextKey;
    this.#nextKey = (key + 1) % this.#options.keySpace;
    return key;
  }

  #pair(key: number): KeyValuePair {
    const start = this.#prng.nextInt(0, randomBlockBytes);
    const value = this.#randomBlock.subarray(start, start + this.#options.valueSizeBytes);
    return { key: this.#key(key), value };
  }

  #key(key: number): Buffer {
    return keyOf(key, this.#options);
  }
}

/** The key of a number. */
export function keyOf(number: number, { keySizeBytes }: WorkloadOptions): Buffer {
  return Buffer.from(number.toString(16).padStart(keySizeBytes, '0'), 'latin1');
}

/** Ids are for the server to choose, so all grants are the same. */
const leaseGrantFrame = frameMessage(LeaseGrant.requestSerialize({ TTL: stayingLeaseTtl }));
