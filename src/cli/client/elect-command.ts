/** `elect`: campaigns and leads until it is stopped, or observes who leads. */
import type { Command } from 'commander';
import { setTimeout as delay } from 'node:timers/promises';
import { ExitError } from '../exit.ts';
import { print } from '../standard-output.ts';
import { anyOf, withInterrupt } from './child.ts';
import { Connection } from './connection.ts';
import type { Dialler } from './dialler.ts';
import { CallError, exitCodes, exitOf, mayPass, unreachable } from './failure.ts';
import {
  addSharedOptions,
  type ClientOptions,
  clientOptionsOf,
  parseTtlSeconds,
  usageError,
} from './options.ts';
import { formatOwner } from './output.ts';
import { type AnswerOf, bytesOf, methods } from './requests.ts';
import { Session } from './session.ts';

const defaultTtlSeconds = 60;
const retryMs = 250;

/** Options of `elect` besides its arguments. */
interface ElectOptions {
  readonly listen?: true;
  readonly ttl: number;
}

/** Adds the command. */
export function registerElectCommand(program: Command): Command[] {
  const command = program
    .command('elect')
    .description('lead until stopped, or print who leads')
    .argument('<election>', 'name of the election')
    .argument('[proposal]', 'what to proclaim once elected')
    .option('-l, --listen', 'print who leads, now and from then on; takes no proposal')
    .option(
      '--ttl <seconds>',
      'how long the office outlives a leader that is gone',
      parseTtlSeconds,
      defaultTtlSeconds,
    )
    .addHelpText(
      'after',
      `
It waits until it is elected, prints its key and proposal, and leads until it is stopped; then it
resigns. If leadership is lost before, it says so and ends with exit code ${exitCodes.lost}.

Examples:
  holdfast elect scheduler node-1
  holdfast elect scheduler --listen`,
    );
  return [
    addSharedOptions(command).action(
      async (name: string, proposal: string | undefined, options: ElectOptions) => {
        const client = clientOptionsOf(command);
        if (options.listen === true) {
          if (proposal !== undefined) {
            throw usageError('elect', 'takes no proposal with --listen');
          }
          await observe(bytesOf('elect', name, 'utf8'), client);
        } else if (proposal === undefined) {
          throw usageError('elect', 'needs a proposal, or --listen');
        } else {
          const [nameBytes, value] = [name, proposal].map((each) => bytesOf('elect', each, 'utf8'));
          await campaign({ name: nameBytes, value }, options, client);
        }
      },
    ),
  ];
}

/** Leads until it is stopped. */
async function campaign(
  candidacy: { readonly name: Buffer | undefined; readonly value: Buffer | undefined },
  { ttl: ttlSeconds }: ElectOptions,
  { endpoints, dialler, timeoutMs, format = 'simple' }: ClientOptions,
): Promise<void> {
  await withInterrupt(async (interrupt) => {
    const session = await Session.open({
      ...{ command: 'elect', endpoints, dialler },
      ...{ timeoutMs, ttlSeconds },
    });
    try {
      const signal = AbortSignal.any([interrupt, session.lost]);
      const request = (): object => ({ ...candidacy, lease: session.lease });
      const { leader } = await session.until({
        method: methods.election.Campaign,
        request,
        signal,
      });
      const key = leader?.key ?? Buffer.alloc(0);
      await print(
        formatOwner(
          await session.until({ method: methods.kv.Range, request: () => ({ key }), signal }),
          format,
        ),
      );
      await anyOf(signal);
      session.lost.throwIfAborted();
    } catch (error) {
      session.lost.throwIfAborted();
      throw interrupt.aborted ? stoppedEarly(String(interrupt.reason)) : error;
    } finally {
      await session.close();
    }
  });
}

function stoppedEarly(by: string): ExitError {
  return new ExitError(exitCodes.failed, `holdfast: elect: stopped by ${by} before it was elected`);
}

/**
 * Prints who leads until it is stopped; goes on with the next endpoint when one fails.
 *
 * @throws {ExitError} no member was reached at the beginning, or one refuses it.
 */
async function observe(
  name: Buffer,
  { endpoints, dialler, format = 'simple' }: ClientOptions,
): Promise<void> {
  if (format === 'table') {
    throw usageError('elect', '--listen has no end, so it is no table: use simple, json or fields');
  }
  await withInterrupt(async (interrupt) => {
    let toldLast = '';
    const tell = async ({ header, kv: leader }: Observed): Promise<void> => {
      const seen = `${leader?.create_revision ?? ''}/${leader?.mod_revision ?? ''}`;
      if (leader !== null && seen !== toldLast) {
        toldLast = seen;
        await print(formatOwner({ header, kvs: [leader], more: false, count: '0' }, format));
      }
    };
    let hasBegun = false;
    for (let attempt = 0; ; attempt++) {
      const endpoint = endpoints[attempt % endpoints.length] ?? '';
      const failure = await observeAt(endpoint, { name, dialler, signal: interrupt, tell });
      if (isStopped(interrupt)) {
        return;
      }
      const isOver = attempt + 1 >= endpoints.length && !hasBegun && !failure.wasSent;
      if (!mayPass(failure) || isOver) {
        throw failure;
      }
      hasBegun ||= failure.wasSent;
      if (failure.wasSent) {
        process.stderr.write(`${failure.message}; going on\n`);
      }
      await delay(retryMs, undefined, { signal: interrupt }).catch(() => undefined);
    }
  });
}

type Observed = AnswerOf<typeof methods.election.Observe>;

interface Observer {
  readonly name: Buffer;
  readonly dialler: Dialler;
  readonly signal: AbortSignal;
  readonly tell: (observed: Observed) => Promise<void>;
}

/** Observes at one endpoint until that fails; returns how. */
async function observeAt(
  endpoint: string,
  { name, dialler, signal, tell }: Observer,
): Promise<CallError> {
  const connection = new Connection([endpoint], Number.POSITIVE_INFINITY, dialler);
  const call = { command: 'elect', purpose: 'read', method: methods.election.Observe } as const;
  try {
    for await (const observed of connection.stream({ ...call, request: { name }, signal })) {
      await tell(observed);
    }
    // A member ends it only by going down.
    return exitOf('elect', 'read', [unreachable(endpoint, 'the member has ended the call')]);
  } catch (error) {
    if (!(error instanceof CallError)) {
      throw error;
    }
    return error;
  } finally {
    connection.close();
  }
}

function isStopped({ aborted }: AbortSignal): boolean {
  return aborted;
}
