/**
 * Logs: events with fields, never prose. JSON lines by default; one readable line each in a
 * terminal.
 *
 * Keys' values, passwords and tokens are never fields of an event; as a second line of defence,
 * fields of such names are blanked.
 */
import { Writable } from 'node:stream';
import { type Logger, pino } from 'pino';

export type { Logger } from 'pino';

/** How a member logs. */
export interface LoggerOptions {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  /** `auto`: readable lines when the output is a terminal, else JSON. */
  readonly format: 'auto' | 'json' | 'pretty';
  /** Fields of every line. */
  readonly fields: Readonly<Record<string, string | number>>;
}

const levelNames: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'WARN',
  50: 'ERROR',
  60: 'FATAL',
};

/** Fields that are blanked, at the top of a line and one level below. */
const secretFields = ['password', 'token', 'secret', 'value', 'key'];

/** Fields that a readable line leaves out, or shows elsewhere. */
const hiddenFields = new Set(['level', 'time', 'event', 'pid', 'hostname']);

/**
 * Turns one JSON log line into `12:34:56.789 info  event field=value …`, the time in UTC. A line
 * that is no log record, such as what Node prints when it dies, stays as it is.
 */
export function formatLogLine(line: string): string {
  const record = parseRecord(line);
  if (record === undefined) {
    return line.trimEnd();
  }
  const name = (levelNames[Number(record['level'])] ?? textOf(record['level'])).padEnd(5);
  const fields = Object.entries(record)
    .filter(([key]) => !hiddenFields.has(key))
    .map(([key, value]) => `${key}=${textOf(value)}`);
  return [clockOf(Number(record['time'])), name, textOf(record['event']), ...fields].join(' ');
}

function parseRecord(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const parsed: unknown = JSON.parse(line);
    const isRecord = typeof parsed === 'object' && parsed !== null && 'level' in parsed;
    return isRecord ? { time: 0, event: '', ...parsed } : undefined;
  } catch {
    return undefined;
  }
}

/** One word as it is; anything with spaces, quotes or control characters as JSON, on one line. */
function textOf(value: unknown): string {
  return typeof value === 'string' && /^[^\s"\p{Cc}]*$/u.test(value)
    ? value
    : JSON.stringify(value);
}

function clockOf(epochMs: number): string {
  const part = (unitMs: number, count: number, digits: number): string =>
    String(Math.floor(epochMs / unitMs) % count).padStart(digits, '0');
  const seconds = [part(3_600_000, 24, 2), part(60_000, 60, 2), part(1000, 60, 2)].join(':');
  return `${seconds}.${part(1, 1000, 3)}`;
}

/** Creates a member's logger, which writes to `output`. */
export function createLogger(
  options: LoggerOptions,
  output: NodeJS.WritableStream & { readonly isTTY?: boolean },
): Logger {
  const isPretty =
    options.format === 'pretty' || (options.format === 'auto' && output.isTTY === true);
  const stream = isPretty
    ? new Writable({
        write: (chunk: Buffer, _encoding, done) => {
          output.write(`${formatLogLine(chunk.toString())}\n`);
          done();
        },
      })
    : output;
  return pino(
    {
      level: options.level,
      base: options.fields,
      redact: { paths: secretFields.flatMap((name) => [name, `*.${name}`]), censor: '[hidden]' },
    },
    stream,
  );
}
