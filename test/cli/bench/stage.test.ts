import { describe, expect, onTestFinished, test } from 'vitest';
import { Access, plainAccess } from '../../../src/cli/bench/access.ts';
import { Stage } from '../../../src/cli/bench/stage.ts';
import { ExitError } from '../../../src/cli/exit.ts';
import { FakeMember, refuseWith } from './fake-member.ts';

const signal = new AbortController().signal;

async function startMember(): Promise<FakeMember> {
  const member = await FakeMember.start(() => undefined);
  onTestFinished(async () => member.stop());
  return member;
}

describe('Stage', () => {
  test('connections lead to the members in turn, and are closed at the end', async () => {
    const members = [await startMember(), await startMember()];
    const endpoints = members.map(({ endpoint }) => endpoint);
    const subject = { title: 'two members', endpoints, access: plainAccess, pids: [] };

    const counts = await Stage.run(subject, false, signal, async (stage) => {
      const connections = await stage.connect(5);
      return [connections.length, ...members.map(({ sessions }) => sessions.size)];
    });

    expect(counts).toEqual([5, 3, 2]);
    await expect.poll(() => members.map(({ sessions }) => sessions.size)).toEqual([0, 0]);
  });

  test('who is not let in is told so, and what to look at', async () => {
    const member = await FakeMember.start((call) => refuseWith(call, 3, 'invalid password'));
    onTestFinished(async () => member.stop());
    const access = new Access(undefined, { name: 'ann', password: 'secret' });
    const subject = { title: 'one member', endpoints: [member.endpoint], access, pids: [] };

    const run = Stage.run(subject, false, signal, async () => Promise.resolve());

    await expect(run).rejects.toThrow('ann cannot sign in: invalid password; check --user');
    await expect(run).rejects.toBeInstanceOf(ExitError);
  });

  test('what is lost ends it, and names whom it was lost to', async () => {
    const { endpoint } = await startMember();
    const subject = { title: 'one member', endpoints: [endpoint], access: plainAccess, pids: [] };

    const reason = await Stage.run(subject, false, signal, async (stage) => {
      stage.fail(new Error('a stream was cut off'));
      expect(stage.signal.aborted).toBe(true);
      return stage.signal.reason as unknown;
    });

    expect(reason).toBeInstanceOf(ExitError);
    expect(String(reason)).toContain('one member: a stream was cut off');
  });
});
