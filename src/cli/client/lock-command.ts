/** `lock`: owns a lock until it is stopped, or while a command runs. */
import type { Command } from 'commander';
import { ExitError } from '../exit.ts';
import { print } from '../standard-output.ts';
import { anyOf, graceMs, runChild, withInterrupt } from './child.ts';
import { CallError, exitCodes } from './failure.ts';
import {
  addSharedOptions,
  type ClientOptions,
  clientOptionsOf,
  type Format,
  parseDuration,
  parseTtlSeconds,
  usageError,
} from './options.ts';
import { formatOwner } from './output.ts';
import { type AnswerOf, bytesOf, methods } from './requests.ts';
import { Session } from './session.ts';

const defaultTtlSeconds = 10;
/** How much longer a member has to say itself that the time to wait is over, milliseconds. */
const waitMarginMs = 1000;

/** Options of `lock` besides its arguments. */
interface LockOptions {
  readonly ttl: number;
  readonly try?: true;
  /** Milliseconds. */
  readonly wait?: number;
}

/** Adds the command. */
export function registerLockCommand(program: Command): Command[] {
  const command = program
    .command('lock')
    .description('own a lock until stopped, or while a command runs')
    .argument('<name>', 'name of the lock')
    .argument('[command...]', 'what to run while the lock is owned; after "--" if it has flags')
    .option(
      '--ttl <seconds>',
      'how long the lock outlives a holder that is gone',
      parseTtlSeconds,
      defaultTtlSeconds,
    )
    .option('--try', 'do not wait: end with exit code 6 if somebody else has the lock')
    .option('--wait <duration>', 'wait for the lock so long at most, as in 10s', parseDuration)
    .addHelpText(
      'after',
      `
A command gets ETCD_LOCK_KEY and ETCD_LOCK_REV as from etcdctl, and in HOLDFAST_FENCING_TOKEN a
number that grows from owner to owner. Its exit code is that of "lock". If the lock is lost while
it runs it gets SIGTERM, ${graceMs / 1000} s later SIGKILL, and the exit code is ${exitCodes.lost}.

Examples:
  holdfast lock backup -- sh -c 'exec pg_dump app > app.sql'
  holdfast lock backup --try echo mine`,
    );
  return [
    addSharedOptions(command).action(
      async (name: string, run: readonly string[], options: LockOptions) => {
        if (options.try === true && options.wait !== undefined) {
          throw usageError('lock', '--try and --wait exclude each other: choose one');
        }
        const request = { name: bytesOf('lock', name, 'utf8'), run, ...options };
        process.exitCode = await lock(request, clientOptionsOf(command));
      },
    ),
  ];
}

interface LockRequest extends LockOptions {
  readonly name: Buffer;
  readonly run: readonly string[];
}

/** What an owner knows of its lock. */
interface Owned {
  readonly answer: AnswerOf<typeof methods.lock.Lock>;
  /** The owner's key, as a range gives it. */
  readonly key: AnswerOf<typeof methods.kv.Range>;
}

/** Owns a lock for a while; returns the exit code. */
async function lock(request: LockRequest, client: ClientOptions): Promise<number> {
  const { endpoints, dialler, timeoutMs, format = 'simple' } = client;
  return withInterrupt(async (interrupt) => {
    const { ttl: ttlSeconds } = request;
    const session = await Session.open({
      ...{ command: 'lock', endpoints, dialler },
      ...{ timeoutMs, ttlSeconds },
    });
    try {
      const owned = await acquire(session, request, { client, interrupt });
      return await (request.run.length === 0
        ? hold(session, owned, { format, interrupt })
        : runOwning(session, owned, request.run));
    } finally {
      await session.close();
    }
  });
}

/**
 * Waits for the lock.
 *
 * @throws {ExitError} somebody else has it; the session was lost; or it is not wanted any more.
 */
async function acquire(
  session: Session,
  { name, wait, try: tries }: LockRequest,
  { client, interrupt }: { readonly client: ClientOptions; readonly interrupt: AbortSignal },
): Promise<Owned> {
  const isTry = tries === true;
  const startMs = performance.now();
  // etcd knows neither a try nor a limit: this one does for it.
  const limitMs = isTry ? client.timeoutMs : wait === undefined ? undefined : wait + waitMarginMs;
  const limit = limitMs === undefined ? [] : [AbortSignal.timeout(limitMs)];
  const signal = AbortSignal.any([interrupt, session.lost, ...limit]);
  const request = (): object => ({
    ...{ name, lease: session.lease, try_lock: isTry },
    wait_ms: wait === undefined ? 0 : Math.ceil(Math.max(1, startMs + wait - performance.now())),
  });
  try {
    const answer = await session.until({ method: methods.lock.Lock, request, signal });
    const key = await session.until({
      method: methods.kv.Range,
      request: () => ({ key: answer.key }),
      signal,
    });
    if (key.kvs.length === 0) {
      throw session.lost.aborted ? session.lost.reason : lostAtOnce();
    }
    return { answer, key };
  } catch (error) {
    session.lost.throwIfAborted();
    if (interrupt.aborted) {
      throw new ExitError(
        exitCodes.failed,
        `holdfast: lock: stopped by ${String(interrupt.reason)} before it had the lock`,
      );
    }
    const isHeld = error instanceof CallError && error.failures.at(-1)?.code === 'LOCK_HELD';
    if (!isHeld && signal.aborted && (await session.findsNoLeader())) {
      throw withoutLeader();
    }
    throw isHeld || signal.aborted ? heldBySomebody(isTry) : error;
  }
}

function lostAtOnce(): ExitError {
  return new ExitError(exitCodes.lost, 'holdfast: lock: lost as soon as it was acquired');
}

function withoutLeader(): ExitError {
  return new ExitError(
    exitCodes.failed,
    'holdfast: lock failed: there is no leader [NO_LEADER]; outcome: rejected: nothing was ' +
      'acquired; hint: wait for an election and repeat; if it lasts, check that a majority is up',
  );
}

function heldBySomebody(isTry: boolean): ExitError {
  return new ExitError(
    exitCodes.held,
    `holdfast: lock: somebody else has it${isTry ? '' : ', and has not let go in time'}`,
  );
}

/** Prints what is owned, and owns it until it is stopped. */
async function hold(
  session: Session,
  { key }: Owned,
  { format, interrupt }: { readonly format: Format; readonly interrupt: AbortSignal },
): Promise<number> {
  await print(formatOwner(key, format));
  await anyOf(interrupt, session.lost);
  session.lost.throwIfAborted();
  return 0;
}

/** Runs a command for as long as it takes, or as the lock is owned. */
async function runOwning(
  session: Session,
  { answer, key }: Owned,
  run: readonly string[],
): Promise<number> {
  const env = {
    ETCD_LOCK_KEY: answer.key.toString(),
    ETCD_LOCK_REV: answer.header?.revision ?? '0',
    HOLDFAST_FENCING_TOKEN: key.kvs[0]?.create_revision ?? '0',
  };
  const code = await runChild({ command: 'lock', run, env, signal: session.lost });
  session.lost.throwIfAborted();
  return code;
}
