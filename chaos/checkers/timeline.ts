/** Violations as text: each operation a bar over time, with what it asked and was told. */
import type { History, Operation } from './history.ts';
import type { Violation } from './linearizability.ts';
import type { Model } from './models.ts';

const columnsMax = 64;

/** Tells a violation as a timeline; the last line names the answer that does not fit. */
export function describeViolation<State, Input, Output>(
  violation: Violation<Input, Output>,
  model: Model<State, Input, Output>,
): string {
  const { modelName, partition, operations } = violation;
  const about = partition === undefined ? '' : ` ${JSON.stringify(partition)}`;
  const columnOf = createScale(operations);
  const processWidth = Math.max(...operations.map((it) => String(it.process).length));
  const lines = operations.map((operation) => {
    const process = String(operation.process).padStart(processWidth);
    const { input, output } = operation;
    return `  p${process} ${drawBar(operation, columnOf)} ${model.describe(input, output)}`;
  });
  return [
    `No order explains these ${operations.length} operations on ${modelName}${about}:`,
    ...lines,
    ...explainLast(operations, model),
  ].join('\n');
}

/** Maps a time to a column, by its rank among all times. */
function createScale(operations: History<unknown, unknown>): (time: number) => number {
  const times = new Set<number>();
  for (const { call, return: returned } of operations) {
    times.add(call);
    if (returned !== undefined) {
      times.add(returned);
    }
  }
  const ranks = new Map(
    Array.from(times, (time) => time)
      .sort((a, b) => a - b)
      .entries(),
  );
  const rankByTime = new Map(Array.from(ranks, ([rank, time]) => [time, rank]));
  const columnsPerRank = Math.min(3, (columnsMax - 1) / Math.max(1, times.size));
  return (time) => Math.floor((rankByTime.get(time) ?? times.size) * columnsPerRank);
}

/** `|---|`, or `|--->` for an operation that has not returned. */
function drawBar(
  { call, return: returned }: Operation<unknown, unknown>,
  columnOf: (time: number) => number,
): string {
  const start = columnOf(call);
  const end = Math.max(start + 1, columnOf(returned ?? Number.POSITIVE_INFINITY));
  const bar = `|${'-'.repeat(end - start - 1)}${returned === undefined ? '>' : '|'}`;
  return `${' '.repeat(start)}${bar}`.padEnd(columnOf(Number.POSITIVE_INFINITY) + 1);
}

/** A shrunk history could be explained but for the answer that came last. */
function explainLast<State, Input, Output>(
  operations: History<Input, Output>,
  model: Model<State, Input, Output>,
): readonly string[] {
  let last: Operation<Input, Output> | undefined;
  for (const operation of operations) {
    const { return: returned = Number.NEGATIVE_INFINITY } = operation;
    last = returned >= (last?.return ?? Number.NEGATIVE_INFINITY) ? operation : last;
  }
  return last === undefined
    ? []
    : [`The last answer does not fit: p${last.process} ${model.describe(last.input, last.output)}`];
}
