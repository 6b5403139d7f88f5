/** What a member tells the cluster about itself, and its log about what has to wait. */
import { describe, expect, test } from 'vitest';
import { KvError } from '../../src/base/index.ts';
import type { Command, CommandResult } from '../../src/kv/index.ts';
import { SelfReport } from '../../src/replica/self-report.ts';

/** A member that has published nothing; `answer` is what its proposals come to. */
function start(answer: () => Promise<CommandResult>) {
  const proposed: Command['type'][] = [];
  const delays: unknown[] = [];
  const host = { answer };
  const report = new SelfReport({
    ...{ id: 1, name: 'n1', clientUrls: ['http://n1:2379'], quotaBytes: 1000 },
    members: { published: () => undefined },
    state: { alarms: [] },
    logger: {
      info: (fields) => delays.push(Object.values(fields)),
      warn: () => undefined,
    },
    propose: async (command) => {
      proposed.push(command.type);
      return host.answer();
    },
  });
  const publish = async (times: number): Promise<void> => {
    for (let i = 0; i < times; i++) {
      report.maybePublish();
      await new Promise<void>((resolve) => {
        setImmediate(resolve);
      });
    }
  };
  return { report, host, proposed, delays, publish };
}

const fails = (code: 'DISK_FULL' | 'TIMEOUT') => async (): Promise<CommandResult> =>
  Promise.reject(new KvError(code, { message: code }));

describe('SelfReport', () => {
  test('one thing is told at a time', () => {
    const { report, proposed } = start(async () => new Promise(() => undefined));

    report.maybePublish();
    report.maybePublish();
    report.setAlarm('corrupt', true);

    expect(proposed).toEqual(['setRecord']);
  });

  test('what cannot be told is tried again and again, logged once for each reason', async () => {
    const { host, proposed, delays, publish } = start(fails('DISK_FULL'));

    await publish(5);
    expect(proposed).toHaveLength(5);
    expect(delays).toEqual([['report-delayed', 'attributes', 'KvError: DISK_FULL']]);

    host.answer = fails('TIMEOUT');
    await publish(5);
    expect(delays.slice(1)).toEqual([['report-delayed', 'attributes', 'KvError: TIMEOUT']]);
  });

  test('what has to wait anew, after something was told, is logged anew', async () => {
    const { host, delays, publish } = start(fails('DISK_FULL'));
    await publish(2);
    host.answer = async () => Promise.resolve({ kind: 'ok' } as CommandResult);
    await publish(1);

    host.answer = fails('DISK_FULL');
    await publish(2);

    expect(delays).toHaveLength(2);
  });
});
