/** What the lease commands print; `simple`, `json` and `fields` are etcdctl's. */
import { headerFields, quoted } from './fields.ts';
import { encodeJson, headerJson, type Json } from './json.ts';
import type { Format } from './options.ts';
import { lines, tableOf } from './output.ts';
import type { AnswerOf, methods } from './requests.ts';

type GrantAnswer = AnswerOf<typeof methods.lease.LeaseGrant>;
type RevokeAnswer = AnswerOf<typeof methods.lease.LeaseRevoke>;
type TimeToLiveAnswer = AnswerOf<typeof methods.lease.LeaseTimeToLive>;
type LeasesAnswer = AnswerOf<typeof methods.lease.LeaseLeases>;
/** The answer to a renewal. */
export type KeepAliveAnswer = AnswerOf<typeof methods.lease.LeaseKeepAlive>;

/** A lease's id as etcdctl names it. */
export function leaseName(id: string): string {
  return BigInt.asUintN(64, BigInt(id)).toString(16).padStart(16, '0');
}

/** The output of a grant. */
export function formatGranted(answer: GrantAnswer, format: Format): Uint8Array {
  const { header, ID: id, TTL: ttl, error } = answer;
  const name = leaseName(id);
  switch (format) {
    case 'json':
      return json(header, { ID: BigInt(id), TTL: BigInt(ttl), Error: error });
    case 'fields':
      return lines([...headerFields(header), `"ID" : ${id}`, `"TTL" : ${ttl}`]);
    case 'table':
      return tableOf(['LEASE', 'TTL'], [[name, ttl]]);
    case 'plain':
      return lines([name]);
    case 'simple':
      return lines([`lease ${name} granted with TTL(${ttl}s)`]);
  }
}

/** The output of a revocation. */
export function formatRevoked({ header }: RevokeAnswer, id: string, format: Format): Uint8Array {
  const name = leaseName(id);
  switch (format) {
    case 'json':
      return lines([encodeJson({ header: headerJson(header) })]);
    case 'fields':
      return lines(headerFields(header));
    case 'table':
      return tableOf(['LEASE'], [[name]]);
    case 'plain':
      return lines([name]);
    case 'simple':
      return lines([`lease ${name} revoked`]);
  }
}

/** The output of a renewal. */
export function formatRenewed(answer: KeepAliveAnswer, format: Format): Uint8Array {
  const { header, ID: id, TTL: ttl } = answer;
  const name = leaseName(id);
  switch (format) {
    case 'json':
      return json(header, { ID: BigInt(id), TTL: BigInt(ttl) });
    case 'fields':
      return lines([...headerFields(header), `"ID" : ${id}`, `"TTL" : ${ttl}`]);
    case 'table':
      return tableOf(['LEASE', 'TTL'], [[name, ttl]]);
    case 'plain':
      return lines([`${name}\t${ttl}`]);
    case 'simple':
      return lines([`lease ${name} keepalived with TTL(${ttl})`]);
  }
}

/** The output of a look at a lease. */
export function formatTimeToLive(
  answer: TimeToLiveAnswer,
  withKeys: boolean,
  format: Format,
): Uint8Array {
  const { header, ID: id, TTL: ttl, grantedTTL: grantedTtl, keys } = answer;
  const name = leaseName(id);
  const times = { ttl: BigInt(ttl), 'granted-ttl': BigInt(grantedTtl) };
  switch (format) {
    case 'json': {
      const encoded = keys.map((key) => key.toString('base64'));
      const head = json(header, { id: BigInt(id), ...times, keys: encoded });
      // No keys are null there, not an empty list.
      return keys.length > 0 ? head : replaced(head, '"keys":[]', '"keys":null');
    }
    case 'fields':
      return lines([
        ...headerFields(header),
        ...[`"ID" : ${id}`, `"TTL" : ${ttl}`, `"GrantedTTL" : ${grantedTtl}`],
        ...keys.map((key) => `"Key" : ${quoted(key)}`),
      ]);
    case 'table':
      return tableOf(['LEASE', 'GRANTED TTL', 'TTL'], [[name, grantedTtl, ttl]]);
    case 'plain':
      return lines([`${name}\t${grantedTtl}\t${ttl}`, ...keys]);
    case 'simple': {
      if (ttl === '-1') {
        return lines([`lease ${name} already expired`]);
      }
      const attached = withKeys ? [Buffer.from(', attached keys(['), ...joined(keys), '])'] : [];
      const head = `lease ${name} granted with TTL(${grantedTtl}s), remaining(${ttl}s)`;
      return lines([Buffer.concat([head, ...attached].map((part) => Buffer.from(part)))]);
    }
  }
}

/** The output of a list. */
export function formatLeases({ header, leases }: LeasesAnswer, format: Format): Uint8Array {
  const names = leases.map(({ ID: id }) => leaseName(id));
  switch (format) {
    case 'json':
      return json(header, { leases: leases.map(({ ID: id }) => ({ id: BigInt(id) })) });
    case 'fields':
      return lines([...headerFields(header), ...leases.map(({ ID: id }) => `"ID" : ${id}`)]);
    case 'table':
      return tableOf(
        ['LEASE'],
        names.map((name) => [name]),
      );
    case 'plain':
      return lines(names);
    case 'simple':
      return lines([`found ${names.length} leases`, ...names]);
  }
}

/** A header's fields and those of the answer, in one object. */
function json(
  header: KeepAliveAnswer['header'],
  fields: Readonly<Record<string, Json>>,
): Uint8Array {
  return lines([encodeJson({ ...headerJson(header), ...fields })]);
}

function replaced(bytes: Uint8Array, what: string, by: string): Uint8Array {
  return Buffer.from(Buffer.from(bytes).toString('utf8').replace(what, by));
}

function joined(keys: readonly Buffer[]): readonly (Buffer | string)[] {
  return keys.flatMap((key, at) => (at === 0 ? [key] : [' ', key]));
}
