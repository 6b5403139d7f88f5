/** What clients may use of a member at once, from its flags. */
import type { RequestLimits } from '../rpc/index.ts';
import type { ConfigReader } from './config-sources.ts';
import type { ServerFlagName } from './server-flags.ts';

/** Of the member, unless the largest request is larger than a quarter of it. */
const inflightBytesDefault = 64 * 1024 * 1024;

/** Reads and checks the limits. */
export function requestLimits(reader: ConfigReader, requestBytesMax: number): RequestLimits {
  return {
    clientRequestsPerSecond: reader.integer('max-client-request-rate', 0, 10_000_000),
    inflightRequests: {
      client: reader.integer('max-client-inflight-requests', 1, 1_000_000),
      member: reader.integer('max-inflight-requests', 2, 1_000_000),
    },
    inflightBytes: inflightBytes(reader, requestBytesMax),
    bulkBytes: reader.integer('max-bulk-bytes', 1024 * 1024, 2 ** 40),
    streams: {
      client: reader.integer('max-client-streams', 1, 100_000),
      member: reader.integer('max-streams', 2, 100_000),
    },
    watches: {
      client: reader.integer('max-client-watches', 1, 1_000_000),
      member: reader.integer('max-watches', 2, 1_000_000),
    },
    leases: reader.integer('max-leases', 1, 100_000_000),
  };
}

/** Undefined when it is not set. */
export function connectionsMax(reader: ConfigReader): number | undefined {
  const isSet = reader.get('max-connections').text !== undefined;
  return isSet ? reader.integer('max-connections', 1, 1_000_000) : undefined;
}

/** Bytes of events for the readers of all watches. */
export function watchBytesMax(reader: ConfigReader): number {
  return reader.integer('max-watch-bytes', 1024 * 1024, 2 ** 40);
}

/** Undefined when it is not set. */
export function memoryLimitBytes(reader: ConfigReader): number | undefined {
  const isSet = reader.get('memory-limit-bytes').text !== undefined;
  return isSet ? reader.integer('memory-limit-bytes', 64 * 1024 * 1024, 2 ** 50) : undefined;
}

/**
 * The largest request must pass. A client may use half of what is free, so the member's bound must
 * hold it twice.
 */
function inflightBytes(
  reader: ConfigReader,
  requestBytesMax: number,
): RequestLimits['inflightBytes'] {
  const bytesOf = (name: ServerFlagName, byDefault: number, bytesMin: number): number => {
    if (reader.get(name).text === undefined) {
      return byDefault;
    }
    const bytes = reader.integer(name, 1024, 2 ** 40);
    if (bytes < bytesMin) {
      reader.problem(
        `${reader.get(name).where}: ${bytes} must be at least ${bytesMin}, or the largest ` +
          `request would never pass (${reader.get('max-request-bytes').where}: ` +
          `${requestBytesMax}); raise the one or lower the other`,
      );
    }
    return bytes;
  };
  const member = bytesOf(
    'max-inflight-bytes',
    Math.max(inflightBytesDefault, 4 * requestBytesMax),
    2 * requestBytesMax,
  );
  return { member, client: bytesOf('max-client-inflight-bytes', member / 2, requestBytesMax) };
}
