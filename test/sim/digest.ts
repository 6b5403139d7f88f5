/** A digest of plain data, to compare results of members: 32 bits, FNV-1a over type and content. */

const prime = 0x0100_0193;

/** Equal values have equal digests; different ones almost always different ones. */
export function digestOf(value: unknown): number {
  return mix(0x811c_9dc5, value) >>> 0;
}

function mix(hash: number, value: unknown): number {
  if (value instanceof Uint8Array) {
    let result = mixNumber(hash, value.length);
    for (let i = 0; i < value.length; i++) {
      result = Math.imul(result ^ (value[i] as number), prime);
    }
    return result;
  }
  if (typeof value === 'number') {
    return mixNumber(hash, value);
  }
  if (Array.isArray(value)) {
    return value.reduce(mix, mixNumber(hash, value.length));
  }
  if (typeof value === 'object' && value !== null) {
    let result = hash;
    for (const [name, each] of Object.entries(value)) {
      if (each !== undefined) {
        result = mix(mix(result, name), each);
      }
    }
    return result;
  }
  return mixText(hash, String(value));
}

function mixNumber(hash: number, value: number): number {
  const low = Math.imul(hash ^ (value >>> 0), prime);
  return Math.imul(low ^ Math.floor(value / 0x1_0000_0000), prime);
}

function mixText(hash: number, text: string): number {
  let result = hash;
  for (let i = 0; i < text.length; i++) {
    result = Math.imul(result ^ text.charCodeAt(i), prime);
  }
  return Math.imul(result ^ text.length, prime);
}
