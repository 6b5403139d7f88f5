/** What a run says while it goes on: one line now and then, one at its end. */
import type { RunResult } from './result.ts';
import type { Scenario } from './scenario.ts';

const periodMs = 5000;

/** See the module comment. */
export class Progress {
  readonly #write: (line: string) => void;

  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  begin(name: string): void {
    this.#write(`${name}: starting`);
  }

  /** Tells of a scenario until the function that it returns is called. */
  watch(scenario: Scenario): () => void {
    let seen = 0;
    const timer = setInterval(() => {
      const calls = scenario.recorder.of('call');
      const fresh = calls.slice(seen);
      seen = calls.length;
      const ok = fresh.filter(({ outcome }) => outcome === 'ok').length;
      const unknown = fresh.filter(({ outcome }) => outcome === 'unknown').length;
      const faults = scenario.recorder.of('fault');
      const rate = Math.round((ok / periodMs) * 1000);
      const second = Math.round(scenario.nowMs / 1000);
      this.#write(
        `  ${second} s: ${rate} calls/s, ${unknown} unknown, ${faults.length} faults so far` +
          (faults.length > 0 ? `, last: ${faults.at(-1)?.what ?? ''}` : ''),
      );
    }, periodMs);
    return () => {
      clearInterval(timer);
    };
  }

  end({ name, verdict, directory, replay }: RunResult): void {
    const { counts } = verdict;
    this.#write(
      `${name}: ${verdict.verdict}; ${counts.ok} ok, ${counts.fail} failed, ` +
        `${counts.unknown} unknown (${verdict.unknownDone} had happened), ` +
        `${counts.faults} faults, ${counts.leaderChanges} changes of the leader, ` +
        `longest gap ${Math.round(verdict.longestGapMs)} ms`,
    );
    for (const { check, kind, message } of verdict.findings.slice(0, 10)) {
      this.#write(`  ${kind} of ${check}: ${message}`);
    }
    if (verdict.verdict !== 'good') {
      this.#write(`  see ${directory}/report.html; again: ${replay}`);
    }
  }
}
