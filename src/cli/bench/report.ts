/** Results as text: lines for a person, and a table ready for docs/performance.md. */
import type { Figure, Measurement } from './measure.ts';
import type { BenchCase } from './options.ts';

/** Every round of one case on one subject. */
export interface SubjectRounds {
  readonly title: string;
  readonly rounds: readonly Measurement[];
}

/** One case on each subject; of several subjects, the last is compared with the first. */
export interface CaseReport {
  readonly benchCase: BenchCase;
  readonly subjects: readonly SubjectRounds[];
}

/** The middle of several rounds, each figure by itself. */
export interface Medians {
  readonly operationsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly clientCpuMicroseconds: number;
  readonly serverCpuMicroseconds: number | undefined;
  readonly errorCount: number;
  readonly figures: readonly Figure[];
}

/** Above this the load generator itself may be what limits the throughput. */
const busyUtilization = 0.9;

/** The middle value; the mean of the two middle ones of an even number; 0 of none. */
function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

/** The medians over rounds; errors are added up. */
export function mediansOf(rounds: readonly Measurement[]): Medians {
  const serverCpu = rounds
    .map((round) => round.serverCpuMicroseconds)
    .filter((value) => value !== undefined);
  return {
    operationsPerSecond: median(rounds.map((round) => round.operationsPerSecond)),
    p50Ms: median(rounds.map((round) => round.p50Ms)),
    p99Ms: median(rounds.map((round) => round.p99Ms)),
    clientCpuMicroseconds: median(rounds.map((round) => round.clientCpuMicroseconds)),
    serverCpuMicroseconds: serverCpu.length === 0 ? undefined : median(serverCpu),
    errorCount: rounds.reduce((sum, round) => sum + round.errorCount, 0),
    figures: (rounds[0]?.figures ?? []).map(({ name }) => ({
      name,
      value: median(rounds.flatMap(({ figures }) => valuesOf(figures, name))),
    })),
  };
}

function valuesOf(figures: readonly Figure[], name: string): readonly number[] {
  return figures.filter((figure) => figure.name === name).map(({ value }) => value);
}

/** Throughput of the last subject over that of the first; undefined unless there are several. */
export function ratioOf(subjects: readonly SubjectRounds[]): number | undefined {
  const rates = subjects.map((each) => mediansOf(each.rounds).operationsPerSecond);
  const [first, last] = [rates[0] ?? 0, rates.at(-1) ?? 0];
  return rates.length < 2 || first === 0 ? undefined : last / first;
}

/** What a case is, on one line. */
export function caseTitle(benchCase: BenchCase): string {
  const { name, load, scene, clients, connections, isLeaderOnly, rate } = benchCase;
  const spread = isLeaderOnly ? 'leader only' : 'all members';
  return (
    `${name}: ${plural(clients, 'client')}, ${plural(connections, 'connection')}, ${spread}` +
    ('streams' in scene ? `, ${plural(scene.streams, 'stream')}` : '') +
    `${rate === undefined ? '' : `, ${rate} calls/s`}; ` +
    `keys ${load.keySizeBytes} bytes (${load.keySpace} ${load.keyOrder}), ` +
    `values ${load.valueSizeBytes} bytes`
  );
}

/** One measurement in full. */
export function measurementText(measurement: Measurement): string {
  const { operations, errorCount, operationsPerSecond } = measurement;
  const seconds = (measurement.elapsedMs / 1000).toFixed(2);
  const { meanMs, p50Ms, p90Ms, p99Ms, p999Ms, maxMs } = measurement;
  const { counted, figures } = measurement;
  const unit = counted === 'calls' ? 'call' : 'event';
  const server =
    measurement.serverCpuMicroseconds === undefined
      ? ''
      : `; members ${measurement.serverCpuMicroseconds.toFixed(1)} µs per ${unit}`;
  const busy = Math.round(measurement.clientUtilization * 100);
  const lines = [
    `  ${counted.padEnd(12)}${operations} in ${seconds} s, ${errorCount} failed`,
    `  throughput  ${operationsPerSecond.toFixed(1)} ${counted}/s`,
    `  latency ms  mean ${ms(meanMs)}  p50 ${ms(p50Ms)}  p90 ${ms(p90Ms)}  p99 ${ms(p99Ms)}  ` +
      `p99.9 ${ms(p999Ms)}  max ${ms(maxMs)}`,
    `  CPU         load generator ${measurement.clientCpuMicroseconds.toFixed(1)} µs ` +
      `per ${unit}, busy ${busy} %${server}`,
    ...figures.map(({ name, value }) => `  ${name}: ${figureText(value)}`),
    ...measurement.errors.map(
      ({ code, text, count }) => `  error       ${count} × ${code}: ${text}`,
    ),
  ];
  if (measurement.clientUtilization > busyUtilization) {
    lines.push('  note        the load generator was busy throughout: it may be what limits this');
  }
  return lines.join('\n');
}

/** One measurement on one line, for progress. */
export function measurementLine(measurement: Measurement): string {
  const { counted, operationsPerSecond, p50Ms, p99Ms, errorCount, figures } = measurement;
  const failed = errorCount === 0 ? '' : `, ${errorCount} FAILED`;
  const rate = operationsPerSecond.toFixed(0);
  const others = figures.map(({ name, value }) => `, ${name}: ${figureText(value)}`).join('');
  return `${rate} ${counted}/s, p50 ${ms(p50Ms)} ms, p99 ${ms(p99Ms)} ms${failed}${others}`;
}

/** The table of all cases, in Markdown. */
export function reportTable(reports: readonly CaseReport[]): string {
  const titles = reports[0]?.subjects.map((each) => each.title) ?? [];
  const isComparison = titles.length > 1;
  const isOfEvents = reports.some(({ benchCase }) => benchCase.scene.kind === 'watched');
  const things = isOfEvents ? 'calls or events' : 'calls';
  const header = [
    'work',
    'clients / connections',
    'to',
    ...titles.flatMap((title) => [
      `${title} ${things}/s`,
      'p50 / p99 ms',
      `CPU µs per ${isOfEvents ? 'call or event' : 'call'}: members + generator`,
    ]),
    ...(isComparison ? [`${titles.at(-1) ?? ''} / ${titles[0] ?? ''}`] : []),
    'failed',
  ];
  const rows = reports.map(({ benchCase, subjects }) => {
    const medians = subjects.map((each) => mediansOf(each.rounds));
    return [
      benchCase.name,
      `${benchCase.clients} / ${benchCase.connections}`,
      benchCase.isLeaderOnly ? 'leader' : 'all members',
      ...medians.flatMap(subjectCells),
      ...(isComparison ? [`${(ratioOf(subjects) ?? 0).toFixed(2)} ×`] : []),
      String(medians.reduce((sum, each) => sum + each.errorCount, 0)),
    ];
  });
  const rule = header.map((_, i) => (i === 0 || i === 2 ? '---' : '---:'));
  return [header, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** What was seen besides, of all cases, as lines of a table; none when there is nothing. */
export function figuresTable(reports: readonly CaseReport[]): readonly string[] {
  const titles = reports[0]?.subjects.map((each) => each.title) ?? [];
  const rows = reports.flatMap(({ benchCase, subjects }) => {
    const figures = subjects.map((each) => mediansOf(each.rounds).figures);
    return (figures[0] ?? []).map(({ name }) => [
      benchCase.name,
      name,
      ...figures.map((each) => valuesOf(each, name).map(figureText).join('')),
    ]);
  });
  if (rows.length === 0) {
    return [];
  }
  const header = ['work', 'besides', ...titles];
  const rule = header.map((_, i) => (i < 2 ? '---' : '---:'));
  return [...[header, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`), ''];
}

function subjectCells(medians: Medians): readonly string[] {
  const server =
    medians.serverCpuMicroseconds === undefined ? '?' : cpuText(medians.serverCpuMicroseconds);
  return [
    medians.operationsPerSecond.toFixed(0),
    `${ms(medians.p50Ms)} / ${ms(medians.p99Ms)}`,
    `${server} + ${cpuText(medians.clientCpuMicroseconds)}`,
  ];
}

/** Microseconds; of events there are fractions. */
function cpuText(value: number): string {
  return value.toFixed(value < 10 ? 2 : 0);
}

function figureText(value: number): string {
  return value.toFixed(value < 100 && !Number.isInteger(value) ? 1 : 0);
}

/** Milliseconds with three significant digits at least. */
function ms(value: number): string {
  return value.toFixed(value < 1 ? 3 : value < 10 ? 2 : 1);
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
