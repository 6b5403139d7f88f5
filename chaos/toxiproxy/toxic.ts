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

/** Every type, with its attributes and the name that Go has for it. */
const types = {
  noop: { goName: 'NoopToxic', attributes: {} },
  latency: { goName: 'LatencyToxic', attributes: { latency: 'int64', jitter: 'int64' } },
  bandwidth: { goName: 'BandwidthToxic', attributes: { rate: 'int64' } },
  slow_close: { goName: 'SlowCloseToxic', attributes: { delay: 'int64' } },
  timeout: { goName: 'TimeoutToxic', attributes: { timeout: 'int64' } },
  reset_peer: { goName: 'ResetToxic', attributes: { timeout: 'int64' } },
  slicer: {
    goName: 'SlicerToxic',
    attributes: { average_size: 'int', size_variation: 'int', delay: 'int' },
  },
  limit_data: { goName: 'LimitDataToxic', attributes: { bytes: 'int64' } },
} as const satisfies Readonly<Record<string, ToxicKind>>;

interface ToxicKind {
  readonly goName: string;
  readonly attributes: AttributeShape;
}

/** The attributes of a type, each with its type in Go. */
export type AttributeShape = Readonly<Record<string, 'int' | 'int64'>>;

/** Name of a type. */
export type ToxicType = keyof typeof types;

/** Whether there is such a type. */
export function isToxicType(type: string): type is ToxicType {
  return Object.hasOwn(types, type);
}

/** The direction that `stream` names, in any case; undefined if it names none. */
export function directionOf(stream: string): Direction | undefined {
  const lower = stream.toLowerCase();
  return lower === 'upstream' || lower === 'downstream' ? lower : undefined;
}

/** `previous` with what `given` says; one that is in neither is 0. */
export function mergeAttributes(
  type: ToxicType,
  previous: Attributes,
  given: Partial<Attributes>,
): Attributes {
  const names = Object.keys(types[type].attributes);
  return Object.fromEntries(
    names.map((name) => [name, given[name] ?? previous[name] ?? 0] as const),
  );
}

/** The attributes of a type. */
export function shapeOf(type: ToxicType): AttributeShape {
  return types[type].attributes;
}

/** Go's name of a type, which its complaints have. */
export function goTypeOf(type: ToxicType): string {
  return types[type].goName;
}

/** An attribute's value. */
export function attribute(toxic: Toxic, name: string): number {
  return toxic.attributes[name] ?? 0;
}

/** A toxic as the API shows it. */
export function toxicToJson({ attributes, name, type, stream, toxicity }: Toxic) {
  return { attributes, name, type, stream, toxicity };
}
