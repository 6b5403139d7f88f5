/** Runs client commands within the test, against a server whose member is not real. */
import { Command, CommanderError } from 'commander';
import { vi } from 'vitest';
import { registerClientCommands } from '../../../src/cli/client/index.ts';
import { ExitError } from '../../../src/cli/exit.ts';
import { FakeMember } from '../../rpc/fake-member.ts';
import { serve, type Serving } from '../../rpc/serving.ts';

/** What a command has left behind. */
export interface Run {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A server in front of a member that is not real, and its endpoint. */
export interface Server {
  readonly member: FakeMember;
  readonly serving: Serving;
  readonly endpoint: string;
}

/** Serves a member that knows itself and one more. */
export async function startServer(): Promise<Server> {
  const member = new FakeMember();
  const serving = await serve(member);
  const endpoint = `127.0.0.1:${serving.port}`;
  member.clusterId = 0xc;
  member.clusterMembers = [
    {
      id: 1001,
      name: 'n1',
      peerUrls: ['http://a:2380'],
      clientUrls: [`http://${endpoint}`],
      isLearner: false,
    },
    { id: 1002, name: '', peerUrls: ['http://b:2380'], clientUrls: [], isLearner: true },
  ];
  return { member, serving, endpoint };
}

/** Runs a command line to its end. */
export async function run(endpoint: string, ...argv: readonly string[]): Promise<Run> {
  let stdout = '';
  let stderr = '';
  const spies = [
    vi.spyOn(process.stdout, 'write').mockImplementation((text, done?: unknown) => {
      stdout += Buffer.from(text).toString();
      (done as (() => void) | undefined)?.();
      return true;
    }),
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
      stderr += Buffer.from(text).toString();
      return true;
    }),
  ];
  process.exitCode = undefined;
  try {
    const program = new Command('holdfast').exitOverride();
    registerClientCommands(program);
    await program.parseAsync(['--endpoints', endpoint, ...argv], { from: 'user' });
  } catch (error) {
    if (error instanceof ExitError) {
      stderr += error.message;
      process.exitCode = error.exitCode;
    } else if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : 2;
    } else {
      throw error;
    }
  } finally {
    for (const spy of spies) {
      spy.mockRestore();
    }
  }
  const exitCode = process.exitCode ?? 0;
  process.exitCode = undefined;
  return { exitCode, stdout, stderr };
}
