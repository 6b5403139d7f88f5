/**
 * A snapshot file as it is received: under another name until it is whole, checked and on the disk.
 *
 * Snapshots of Holdfast and of etcd both end with the SHA-256 of all before, and that trailer is
 * what is left over when their size is divided by 512.
 */
import { createHash } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

const digestBytes = 32;
const blockBytes = 512;

/** What was wrong with a snapshot that did not become a file. */
export class SnapshotFileError extends Error {
  override readonly name = 'SnapshotFileError';
}

/**
 * Writes `chunks` to `path`, which is replaced in one step once they are known to be whole. Returns
 * the file's size in bytes.
 *
 * @throws {SnapshotFileError} the file cannot be written, or is no whole snapshot; what was at
 *   `path` before is still there. Errors of `chunks` pass.
 */
export async function receiveSnapshot(
  path: string,
  chunks: AsyncIterable<Uint8Array>,
): Promise<number> {
  const part = `${path}.part`;
  const file = await written(part, async () => open(part, 'w', 0o600));
  try {
    const check = new TrailerCheck();
    try {
      for await (const chunk of chunks) {
        check.update(chunk);
        await written(part, async () => writeAll(file, chunk));
      }
      checkWhole(check);
      await written(part, async () => file.sync());
    } finally {
      await file.close();
    }
    await written(path, async () => rename(part, path));
    await written(path, async () => syncFolder(dirname(path)));
    return check.bytes;
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}

/**
 * Compares the SHA-256 at the end of a stream with that of all before.
 *
 * @internal for tests.
 */
export class TrailerCheck {
  readonly #hash = createHash('sha256');
  /** The newest bytes, which may be the trailer. */
  #tail: Uint8Array = new Uint8Array(0);
  /** How many bytes there were. */
  bytes = 0;

  /** Takes the next bytes. */
  update(chunk: Uint8Array): void {
    this.bytes += chunk.length;
    const both = Buffer.concat([this.#tail, chunk]);
    const cut = Math.max(0, both.length - digestBytes);
    this.#hash.update(both.subarray(0, cut));
    this.#tail = both.subarray(cut);
  }

  /** Whether the bytes end with a trailer that is right. To be asked once, at the end. */
  isRight(): boolean {
    return this.bytes % blockBytes === digestBytes && this.#hash.digest().equals(this.#tail);
  }
}

function checkWhole(check: TrailerCheck): void {
  if (!check.isRight()) {
    throw new SnapshotFileError(
      `what was received (${check.bytes} bytes) is not whole: its checksum is wrong`,
    );
  }
}

async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let from = 0; from < chunk.length; ) {
    const { bytesWritten } = await file.write(chunk, from);
    from += bytesWritten;
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Does something to the file at `path`; what goes wrong names it. */
async function written<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new SnapshotFileError(`cannot write ${path}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
