/**
 * Small files of settings that must not be lost or misread: JSON that people can read, with its own
 * checksum, replaced atomically. A member would do harm under an id with one flipped digit.
 */
import { crc32c } from './crc32c.ts';
import type { FileSystem } from './file-system.ts';
import { viewOf } from './record.ts';

/** Suffix of the file that is being written. */
export const jsonTempSuffix = '.tmp';

/** The fields of a file, besides its checksum. */
export type JsonFields = Readonly<Record<string, unknown>>;

/**
 * Reads the fields of the file at `path`; a string says what is wrong with it. The checksum is
 * checked; of the fields only that they are there.
 */
export async function readJsonFile(
  path: string,
  fileSystem: FileSystem,
): Promise<JsonFields | string> {
  const file = fileSystem.open(path, 'existing');
  try {
    const bytes = new Uint8Array(file.sizeBytes());
    await file.read(bytes, 0);
    return parse(bytes);
  } finally {
    file.close();
  }
}

/** Replaces the file at `folder/name` in one durable step. */
export async function writeJsonFile(
  folder: string,
  name: string,
  fields: JsonFields,
  fileSystem: FileSystem,
): Promise<void> {
  const temp = `${folder}/${name}${jsonTempSuffix}`;
  const file = fileSystem.open(temp, 'create');
  try {
    const text = JSON.stringify({ ...fields, checksum: checksumOf(fields) }, undefined, 2);
    const bytes = new TextEncoder().encode(`${text}\n`);
    file.writeSync(bytes, bytes.length, 0);
    await file.sync();
  } finally {
    file.close();
  }
  fileSystem.rename(temp, `${folder}/${name}`);
  await fileSystem.syncDirectory(folder);
}

function parse(bytes: Uint8Array): JsonFields | string {
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    // The parser quotes what it has read, line ends and all; the message is for one line.
    return `it is not readable (${reason.replace(/\p{Cc}+/gu, ' ')})`;
  }
  if (typeof parsed !== 'object' || parsed === null) {
    return 'it is not an object';
  }
  const { checksum, ...fields } = Object.fromEntries<unknown>(Object.entries(parsed));
  if (checksum === undefined) {
    const { formatVersion } = fields;
    return `it has no checksum, as files of other versions have none (${String(formatVersion)})`;
  }
  return checksum === checksumOf(fields) ? fields : 'it does not match its checksum';
}

/** Of the fields in the order they are in, so that nothing of them can change unseen. */
function checksumOf(fields: JsonFields): string {
  const bytes = new TextEncoder().encode(JSON.stringify(fields));
  return crc32c(viewOf(bytes), 0, bytes.length, 0).toString(16).padStart(8, '0');
}
