/**
 * JSON bodies, with the complaints of Go's decoder, which clients of Toxiproxy show to people.
 *
 * The commonest complaints have Go's words; for others they are close.
 */

/** A body that cannot be used; the message follows `bad request body: `. */
export class BodyError extends Error {
  override readonly name = 'BodyError';
}

/** Fields of a JSON object. */
export type Fields = Readonly<Record<string, unknown>>;

/** @throws {BodyError} it is no JSON. */
export function parseBody(body: string): unknown {
  const text = body.trim();
  if (text === '') {
    throw new BodyError('EOF');
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const position = Number(/position (\d+)/.exec(message)?.[1] ?? 0);
    if (/end of JSON input|Unterminated string/i.test(message) || position >= text.length) {
      throw new BodyError('unexpected EOF', { cause: error });
    }
    const character = /token '(.)'/su.exec(message)?.[1] ?? text[position] ?? '';
    throw new BodyError(`invalid character '${character}' looking for beginning of value`, {
      cause: error,
    });
  }
}

/** @throws {BodyError} `value` is no object. */
export function objectOf(value: unknown, type: string): Fields {
  if (value === null) {
    return {};
  }
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw new BodyError(`json: cannot unmarshal ${goKind(value)} into Go value of type ${type}`);
  }
  return value as Fields;
}

/** A field of this type, or undefined when it is missing or null. */
export function field<Kind extends keyof GoKinds>(
  fields: Fields,
  name: string,
  kind: Kind,
): GoKinds[Kind] | undefined {
  const value = fields[name];
  if (value === undefined || value === null) {
    return undefined;
  }
  if (typeof value !== jsKinds[kind] || (kind === 'int64' && !Number.isInteger(value))) {
    const shown = kind === 'int64' && typeof value === 'number' ? `number ${value}` : goKind(value);
    throw new BodyError(
      `json: cannot unmarshal ${shown} into Go struct field .${name} of type ${kind}`,
    );
  }
  return value as GoKinds[Kind];
}

interface GoKinds {
  string: string;
  bool: boolean;
  int64: number;
  float32: number;
}

const jsKinds = { string: 'string', bool: 'boolean', int64: 'number', float32: 'number' } as const;

function goKind(value: unknown): string {
  if (Array.isArray(value)) {
    return 'array';
  }
  return typeof value === 'boolean' ? 'bool' : typeof value;
}
