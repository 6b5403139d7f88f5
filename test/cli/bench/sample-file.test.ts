import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SampleFile } from '../../../src/cli/bench/sample-file.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-samples-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('SampleFile', () => {
  test('has a line for each call: when it was due, how long it took, how it went', () => {
    const path = join(folder, 'samples.csv');
    const file = new SampleFile(path);
    const nowMs = performance.now();

    file.add(nowMs, 1.25, false);
    for (let i = 0; i < 5000; i++) {
      file.add(nowMs + i, 3, true);
    }
    file.close();

    const [header, first, ...others] = readFileSync(path, 'utf8').trimEnd().split('\n');
    expect(header).toBe('due_epoch_ms,latency_ms,ok');
    const [dueMs, latencyMs, ok] = (first ?? '').split(',').map(Number);
    expect([latencyMs, ok]).toEqual([1.25, 0]);
    expect(dueMs).toBeCloseTo(performance.timeOrigin + nowMs, 2);
    expect(others.length).toBe(5000);
    expect(others.at(-1)).toMatch(/,3\.000,1$/);
  });

  test('that cannot be made is a mistake of the command line', () => {
    expect(() => new SampleFile(join(folder, 'none', 'x'))).toThrow('--samples');
  });
});
