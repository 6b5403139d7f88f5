/**
 * Logs: events with fields, never prose. JSON lines by default; one readable line each in a terminal.
 *
 * Keys' values, passwords and tokens are never fields of an event; as a second line of defence, fields of such
 * names are blanked.
 */
import { Writable } from 'node:stream';
import { pino } from 'pino';

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

/** Fields that a readable line leaves out, or shows elsewhere. */
const hiddenFields = new Set(['level', 'time', 'event', 'pid', 'hostname']);

/** Turns one JSON log line into `12:34:56.789 info  event field=value …`. */
export function formatLogLine(line: string): string {
  const record = JSON.parse(line) as Readonly<Record<string, unknown>>;
  const { level, time, event } = record;
  const clock = new Date(Number(time)).toISOString().slice(11, 23);
  const name = (levelNames[Number(level)] ?? String(level)).padEnd(5);
  const fields = Object.entries(record)
    .filter(([key]) => !hiddenFields.has(key))
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return [clock, name, String(event ?? ''), ...fields].join(' ');
}

/** Creates a member's logger, which writes to `output`. */
export function createLogger(
  options: LoggerOptions,
  output: NodeJS.WritableStream & { readonly isTTY?: boolean },
): import('pino').Logger {
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
      redact: { paths: ['password', 'token', 'secret', 'value', 'key'], censor: '[hidden]' },
    },
    stream,
  );
}
