/**
 * When the revocation lists of a file are due to be replaced: the one thing that Node does not say
 * about them, and after which OpenSSL lets nobody in.
 *
 * Reads the outer fields of a list (RFC 5280 §5.1) and nothing else; whether a list is genuine is
 * OpenSSL's business.
 */

/** One element of DER: its tag, and where its content is. */
interface Element {
  readonly tag: number;
  readonly start: number;
  readonly end: number;
}

const integerTag = 0x02;
const sequenceTag = 0x30;
const utcTimeTag = 0x17;
const generalizedTimeTag = 0x18;

/**
 * The earliest `nextUpdate` of all lists in `text` (PEM), milliseconds since 1970; undefined when
 * none says it, or a list is not of the form expected.
 */
export function nextUpdateOf(text: string): number | undefined {
  const blocks = [
    ...text.matchAll(/-----BEGIN X509 CRL-----([A-Za-z0-9+/=\s]*?)-----END X509 CRL-----/g),
  ];
  const dues = blocks.flatMap(([, base64 = '']) => dueOf(Buffer.from(base64, 'base64')) ?? []);
  return dues.length === 0 ? undefined : Math.min(...dues);
}

/** `CertificateList { tbs { version?, algorithm, issuer, thisUpdate, nextUpdate?, … }, … }`. */
function dueOf(der: Buffer): number | undefined {
  const list = elementAt(der, 0);
  const tbs = list?.tag === sequenceTag ? elementAt(der, list.start) : undefined;
  if (tbs?.tag !== sequenceTag) {
    return undefined;
  }
  const fields: Element[] = [];
  for (let at = tbs.start; at < tbs.end && fields.length < 5; ) {
    const field = elementAt(der, at);
    if (field === undefined) {
      return undefined;
    }
    fields.push(field);
    at = field.end;
  }
  const withoutVersion = fields[0]?.tag === integerTag ? fields.slice(1) : fields;
  const [, , , nextUpdate] = withoutVersion;
  return nextUpdate === undefined ? undefined : timeOf(der, nextUpdate);
}

function elementAt(der: Buffer, at: number): Element | undefined {
  const [tag, first] = [der[at], der[at + 1]];
  if (tag === undefined || first === undefined) {
    return undefined;
  }
  const lengthBytes = first < 0x80 ? 0 : first - 0x80;
  const start = at + 2 + lengthBytes;
  if (lengthBytes > 4 || start > der.length) {
    return undefined;
  }
  const length = lengthBytes === 0 ? first : der.readUIntBE(at + 2, lengthBytes);
  const end = start + length;
  return end > der.length ? undefined : { tag, start, end };
}

/** `YYMMDDhhmmssZ` or `YYYYMMDDhhmmssZ`; two digits of a year are of 1950 to 2049. */
function timeOf(der: Buffer, { tag, start, end }: Element): number | undefined {
  const text = der.toString('latin1', start, end);
  if (tag !== utcTimeTag && tag !== generalizedTimeTag) {
    return undefined;
  }
  const century = Number(text.slice(0, 2)) < 50 ? '20' : '19';
  const full = tag === utcTimeTag ? `${century}${text}` : text;
  const [, year, month, date, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(full) ?? [];
  const ms = Date.parse(`${year}-${month}-${date}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(ms) ? undefined : ms;
}
