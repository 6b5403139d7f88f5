import { Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import {
  createLogger,
  formatLogLine,
  type Logger,
  type LoggerOptions,
} from '../../src/observability/index.ts';

/** Collects what a logger writes, as a terminal or not. */
class Output extends Writable {
  readonly isTTY: boolean;
  text = '';

  constructor(isTTY = false) {
    super();
    this.isTTY = isTTY;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }

  get lines(): readonly string[] {
    return this.text.trimEnd().split('\n');
  }
}

const options: LoggerOptions = { level: 'info', format: 'json', fields: { member: 'n1' } };

function loggedBy(
  log: (logger: Logger) => void,
  changes: Partial<LoggerOptions> = {},
  output = new Output(),
): Output {
  log(createLogger({ ...options, ...changes }, output));
  return output;
}

describe('createLogger', () => {
  test('writes an event with its fields and the member as one line of JSON', () => {
    const { lines } = loggedBy((logger) => {
      logger.info({ event: 'leader-changed', term: 3, leader: 7 });
      logger.warn({ event: 'quorum-lost', term: 3 });
    });

    expect(lines).toHaveLength(2);
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      level: 30,
      time: expect.any(Number) as number,
      member: 'n1',
      event: 'leader-changed',
      term: 3,
      leader: 7,
    });
    expect(JSON.parse(lines[1] ?? '')).toMatchObject({ level: 40, event: 'quorum-lost' });
  });

  test('leaves out what is below its level', () => {
    const log = (logger: Logger): void => {
      logger.debug({ event: 'a' });
      logger.info({ event: 'b' });
      logger.error({ event: 'c' });
    };

    expect(loggedBy(log, { level: 'error' }).lines).toHaveLength(1);
    expect(loggedBy(log, { level: 'debug' }).lines).toHaveLength(3);
    expect(loggedBy(log, { level: 'silent' }).text).toBe('');
  });

  test.each([
    ['auto', true, false],
    ['auto', false, true],
    ['pretty', false, false],
    ['json', true, true],
  ] as const)('format %s with a terminal %s: JSON %s', (format, isTty, isJson) => {
    const { text } = loggedBy(
      (logger) => logger.info({ event: 'e' }),
      { format },
      new Output(isTty),
    );

    expect(text.startsWith('{')).toBe(isJson);
    expect(text.endsWith('\n')).toBe(true);
  });

  test.each(['password', 'token', 'secret', 'value', 'key'])(
    'never shows a field named %s, nor one inside another field',
    (name) => {
      for (const format of ['json', 'pretty'] as const) {
        const { text } = loggedBy(
          (logger) => logger.info({ event: 'put', [name]: 'hunter2', kv: { [name]: 'hunter2' } }),
          { format },
        );

        expect(text).not.toContain('hunter2');
        expect(text).toContain('[hidden]');
      }
    },
  );

  test('shows an error with its message and stack', () => {
    const { lines } = loggedBy((logger) =>
      logger.fatal({ event: 'fatal', err: new Error('the disk is gone') }),
    );

    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      level: 60,
      err: { message: 'the disk is gone', stack: expect.stringContaining('logger.test') as string },
    });
  });
});

describe('formatLogLine', () => {
  const time = Date.UTC(2026, 0, 2, 3, 4, 5, 67);

  test('shows time, level, event and fields in their order', () => {
    const line = JSON.stringify({ level: 30, time, member: 'n1', event: 'serving', term: 4 });

    expect(formatLogLine(line)).toBe('03:04:05.067 info  serving member=n1 term=4');
  });

  test.each([
    [10, 'trace'],
    [20, 'debug'],
    [30, 'info '],
    [40, 'WARN '],
    [50, 'ERROR'],
    [60, 'FATAL'],
    [35, '35   '],
  ])('level %i is "%s"', (level, name) => {
    expect(formatLogLine(JSON.stringify({ level, time, event: 'e' }))).toBe(
      `03:04:05.067 ${name} e`,
    );
  });

  test('the clock agrees with that of Date at any time', () => {
    for (let t = 0; t < 3 * 86_400_000; t += 86_399_999 / 7) {
      const at = Math.floor(t);

      expect(formatLogLine(JSON.stringify({ level: 30, time: at, event: 'e' })).slice(0, 12)).toBe(
        new Date(at).toISOString().slice(11, 23),
      );
    }
  });

  test('a text of several words or lines is quoted and stays on the line', () => {
    const fields = {
      reason: 'no route',
      text: 'a\nb',
      quote: 'say "x"',
      escape: '\u001b[2J',
      no: '',
    };
    const line = JSON.stringify({ level: 30, time, event: 'e', ...fields, list: [1, 'b'] });

    expect(formatLogLine(line)).toBe(
      '03:04:05.067 info  e reason="no route" text="a\\nb" quote="say \\"x\\"" ' +
        'escape="\\u001b[2J" no= list=[1,"b"]',
    );
  });

  test.each([
    '{',
    '{ code: 1 }',
    'null',
    '{"message":"no record of a logger"}',
    'file:///x.js:1',
    '',
  ])('a line that is no log record stays as it is: %j', (line) => {
    expect(formatLogLine(line)).toBe(line);
  });
});
