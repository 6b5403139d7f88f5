/**
 * Toxics as data: their types, attributes and defaults, as Toxiproxy 2.12 names them.
 *
 * What a toxic does to bytes is in `stage.ts`. An unknown attribute is ignored, a missing one is 0;
 * all are whole numbers.
 */

/** Which way: `upstream` is from the client to the server. */
export type Direction = 'upstream' | 'downstream';

/** A toxic of one proxy. */
export interface Toxic {
  readonly name: string;
  readonly type: ToxicType;
  readonly direction: Direction;
  /** The stream's name as it was given: it is echoed as it came. */
  readonly stream: string;
  /** Share of connections that it affects, from 0 to 1. */
  readonly toxicity: number;
  readonly attributes: Attributes;
}

/** Attributes by their names on the wire. */
export type Attributes = Readonly<Record<string, number>>;

/** Every type, with the names of its attributes. */
const attributesByType = {
  noop: [],
  latency: ['latency', 'jitter'],
  bandwidth: ['rate'],
  slow_close: ['delay'],
  timeout: ['timeout'],
  reset_peer: ['timeout'],
  slicer: ['average_size', 'size_variation', 'delay'],
  limit_data: ['bytes'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** Name of a type. */
export type ToxicType = keyof typeof attributesByType;

/** Whether there is such a type. */
export function isToxicType(type: string): type is ToxicType {
  return Object.hasOwn(attributesByType, type);
}

/** The direction that `stream` names, in any case; undefined if it names none. */
export function directionOf(stream: string): Direction | undefined {
  const lower = stream.toLowerCase();
  return lower === 'upstream' || lower === 'downstream' ? lower : undefined;
}

/** `previous` with what `given` says; `given` holds numbers only where the type has attributes. */
export function mergeAttributes(
  type: ToxicType,
  previous: Attributes,
  given: Readonly<Record<string, unknown>>,
): Attributes {
  const names: readonly string[] = attributesByType[type];
  return Object.fromEntries(
    names.map((name) => {
      const value = given[name];
      return [name, typeof value === 'number' ? value : (previous[name] ?? 0)];
    }),
  );
}

/** The names of a type's attributes. */
export function attributeNames(type: ToxicType): readonly string[] {
  return attributesByType[type];
}

/** An attribute's value. */
export function attribute(toxic: Toxic, name: string): number {
  return toxic.attributes[name] ?? 0;
}

/** A toxic as the API shows it. */
export function toxicToJson({ attributes, name, type, stream, toxicity }: Toxic) {
  return { attributes, name, type, stream, toxicity };
}
