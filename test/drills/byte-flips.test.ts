/**
 * Drills with real processes: one byte of a stopped member's files is flipped. Started again, the
 * member is in order, or refuses and names file and remedy, or repairs itself; it never tells a
 * wrong value, and the others never notice.
 *
 * `DRILL_FLIPS` sets how many bytes, `DRILL_SEED` which ones; the default keeps `npm test` short.
 */
import { open, readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { createPrng, type Prng } from '../../src/base/index.ts';
import { eventually } from '../harness/admin-client.ts';
import type { StoredKey } from '../harness/kv-client.ts';
import { Drill, type Seat } from './drill.ts';

const flips = Number(process.env['DRILL_FLIPS'] ?? 6);
const seed = Number(process.env['DRILL_SEED'] ?? Date.now() % 1_000_000);
const flipMsMax = 60_000;
const prefix = 'flip/';
const keys = 1500;
const batchKeys = 10;

/** A byte of a file, and what it is turned into by exclusive or. */
interface Flip {
  readonly path: string;
  readonly offset: number;
  readonly mask: number;
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name !== 'lock')
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.includes('.damaged'))
    .sort();
}

/** Bytes of a file without the zeros at its end, where there is room for more. */
async function writtenBytes(path: string): Promise<number> {
  const bytes = await readFile(path);
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) {
    end--;
  }
  return end;
}

/** Of the log, the state or the rest: any file, so that small ones come up, or any byte. */
async function drawFlip(folder: string, prng: Prng): Promise<Flip> {
  const parts = new Map<string, { readonly path: string; readonly bytes: number }[]>();
  for (const path of await filesIn(folder)) {
    const [part = ''] = relative(folder, path).split('/');
    const key = part === 'wal' || part === 'engine' ? part : 'rest';
    const bytes = await writtenBytes(path);
    if (bytes > 0) {
      parts.set(key, [...(parts.get(key) ?? []), { path, bytes }]);
    }
  }
  const files = [...parts.values()][prng.nextInt(0, parts.size)] ?? [];
  const mask = 1 << prng.nextInt(0, 8);
  if (prng.nextInt(0, 2) === 0) {
    const { path = '', bytes = 1 } = files[prng.nextInt(0, files.length)] ?? {};
    return { path, offset: prng.nextInt(0, bytes), mask };
  }
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  let at = prng.nextInt(0, total);
  for (const { path, bytes } of files) {
    if (at < bytes) {
      return { path, offset: at, mask };
    }
    at -= bytes;
  }
  throw new Error('there is a file for every byte');
}

async function flip({ path, offset, mask }: Flip): Promise<void> {
  const file = await open(path, 'r+');
  try {
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, offset);
    byte[0] = (byte[0] ?? 0) ^ mask;
    await file.write(byte, 0, 1, offset);
  } finally {
    await file.close();
  }
}

/** Some keys written more than once, in values of several sizes; the log is compacted meanwhile. */
async function fill({ client }: Seat, prng: Prng): Promise<void> {
  for (let at = 0; at < keys; at += batchKeys) {
    const numbers = Array.from({ length: batchKeys }, (_, i) => (at + i) % (keys - 200));
    await client.putAll(
      numbers.map((i) => [
        `${prefix}${String(i).padStart(6, '0')}`,
        Buffer.alloc(prng.nextInt(1, 4000), `${at} ${i} `),
      ]),
    );
  }
}

/** What a started member does: it ends, and says why; or it serves, and all it tells is right. */
async function outcomeOf(drill: Drill, damaged: Seat, told: number): Promise<string> {
  const { index, client } = damaged;
  const isReady = client.waitUntilReady(flipMsMax).then(() => 'ready');
  // When it has ended, this goes on until it runs again.
  isReady.catch(() => undefined);
  const ending = await Promise.race([isReady, drill.cluster.ended(index, flipMsMax)]);
  if (ending !== 'ready') {
    const said = (await drill.cluster.output(index)).slice(told);
    const [message = ''] = /^holdfast: .*$/m.exec(said) ?? [];
    expect(ending, 'it ends as one that cannot start').toBe(1);
    expect(message).toMatch(/ at offset \d+: /);
    expect(message).toContain('Remedy: ');
    return `refused: ${message.slice(0, 160)}`;
  }
  // A read that finds the damage fails; the member repairs itself, and then all must be right.
  const wanted = await drill.other(damaged).client.getPrefix(prefix);
  await eventually(async () => {
    expectSame(await client.getPrefix(prefix), wanted);
    expectSame(await client.getPrefix(prefix, true), wanted);
  }, flipMsMax);
  await drill.expectConverged(flipMsMax);
  const said = (await drill.cluster.output(index)).slice(told);
  const isRepaired = said.includes('"quarantined"') || said.includes('"state-moved-aside"');
  return isRepaired ? 'repaired' : 'clean';
}

/** Throws what ends the drill at once, not an assertion that is tried again. */
function expectSame(told: readonly StoredKey[], wanted: readonly StoredKey[]): void {
  const wrong = told.filter((kv, i) => JSON.stringify(kv) !== JSON.stringify(wanted[i]));
  if (wrong.length > 0 || told.length !== wanted.length) {
    wrongAnswers.push(`${wrong.length} wrong keys, ${told.length} of ${wanted.length}`);
  }
}

const wrongAnswers: string[] = [];

test(`${flips} flipped bytes never make a wrong answer`, {
  timeout: 60_000 + flips * flipMsMax,
}, async () => {
  console.log(`seed ${seed}`);
  const prng = createPrng(seed);
  const drill = await Drill.start(3, ['--snapshot-count=100', '--snapshot-catchup-entries=30']);
  await fill(await drill.leader(), prng);
  await drill.expectConverged();
  const outcomes: string[] = [];

  for (let i = 0; i < flips; i++) {
    const seat = drill.seats[prng.nextInt(0, 3)] as Seat;
    const folder = drill.cluster.members[seat.index]?.dataDir ?? '';
    await drill.cluster.signal(seat.index, prng.nextInt(0, 2) === 0 ? 'SIGTERM' : 'SIGKILL');
    const flipped = await drawFlip(folder, prng);
    await flip(flipped);
    const told = (await drill.cluster.output(seat.index)).length;

    await drill.cluster.start(seat.index);
    // The others go on, whatever happens there.
    await drill.other(seat).client.waitUntilReady(flipMsMax);
    await drill.other(seat).client.putAll([[`${prefix}after/${i}`, Buffer.from(`${i}`)]]);
    const outcome = await outcomeOf(drill, seat, told);
    outcomes.push(`${relative(folder, flipped.path)}:${flipped.offset} ${outcome}`);
    expect(wrongAnswers, outcomes.join('\n')).toEqual([]);

    if (!drill.cluster.isRunning(seat.index)) {
      await flip(flipped);
      await drill.cluster.start(seat.index);
      await seat.client.waitUntilReady(flipMsMax);
    }
  }

  console.log(`${flips} flips, seed ${seed}:\n  ${outcomes.join('\n  ')}`);
});
