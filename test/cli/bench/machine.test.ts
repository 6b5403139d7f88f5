import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  describeMachine,
  machineLines,
  readCpuMs,
  readResidentBytes,
} from '../../../src/cli/bench/machine.ts';
import { createTempDir } from '../../storage/temp-dir.ts';

describe('the machine', () => {
  test('is described, and the probe of the disk leaves nothing', async () => {
    const folder = createTempDir();

    const machine = await describeMachine(folder);

    expect(machine.nodeVersion).toBe(process.versions.node);
    expect(machine.syncMicroseconds).toBeGreaterThan(0);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('without a folder for data no disk is measured', async () => {
    const machine = await describeMachine(undefined);

    expect(machine.syncMicroseconds).toBeUndefined();
    expect(machineLines({ ...machine, loadAverage: 0 }).length).toBe(1);
  });

  test('what spoils figures is pointed out: other work, a folder in memory', () => {
    const machine = {
      cores: 2,
      cpuModel: 'CPU',
      memoryBytes: 8 * 1024 ** 3,
      loadAverage: 0.1,
      nodeVersion: '20.0.0',
      holdfastVersion: '0.1.0',
      etcdVersion: '3.4.23',
      syncMicroseconds: 130,
    };

    expect(machineLines(machine)).toEqual([
      'machine: 2 × CPU, 8.0 GiB; Node 20.0.0, Holdfast 0.1.0, etcd 3.4.23',
      'disk: append of 4 KiB and fdatasync, median 130 µs',
    ]);
    expect(machineLines({ ...machine, syncMicroseconds: 2 })[2]).toContain('--data-root');
    expect(machineLines({ ...machine, loadAverage: 3 })[1]).toContain('other work');
  });

  test.runIf(process.platform === 'linux')(
    'CPU time of processes is what they say themselves',
    async () => {
      const before = process.cpuUsage();
      const readMs = (await readCpuMs([process.pid])) ?? 0;
      const after = process.cpuUsage();

      // The kernel counts in ticks of 10 ms.
      expect(readMs).toBeGreaterThanOrEqual((before.user + before.system) / 1000 - 20);
      expect(readMs).toBeLessThanOrEqual((after.user + after.system) / 1000 + 20);
    },
  );

  test.runIf(process.platform === 'linux')(
    'memory of processes is what they say themselves, added up',
    async () => {
      const own = process.memoryUsage().rss;
      const twice = (await readResidentBytes([process.pid, process.pid])) ?? 0;

      // The process goes on, and so does its memory.
      expect(Math.abs(twice / 2 - own)).toBeLessThan(own / 4);
    },
  );

  test('a process that is gone has no CPU time, and no memory', async () => {
    expect(await readCpuMs([0x3fff_ffff])).toBeUndefined();
    expect(await readResidentBytes([0x3fff_ffff])).toBeUndefined();
  });
});
