/**
 * One call of a simulated client at a member: there and back through the network, and the answer
 * may be lost.
 */
import { must } from '../../src/base/index.ts';
import type { NodeId } from '../../src/raft/index.ts';
import type { Cluster } from './cluster.ts';
import type { Outcome, Request } from './history.ts';
import type { SimMember } from './member.ts';

/** It was turned away, and had no effect. */
export interface Refusal {
  readonly kind: 'refused';
  readonly reason: string;
}

/** What a request comes to. */
export type Answer = Exclude<Outcome, { kind: 'fail' }> | Refusal;

/** One call of a member. */
interface Call<A> {
  /** What it comes to when its answer is lost. */
  readonly lost: A;
  readonly ask: (member: SimMember, reply: (answer: A) => void) => void;
  readonly done: (answer: A) => void;
}

/** Calls a member once; the answer may be lost, and then time decides. */
export function callMember<A>(
  cluster: Cluster,
  id: NodeId,
  { lost, ask, done }: Call<A | Refusal>,
): void {
  const { clock, network, parameters } = cluster;
  let isOver = false;
  const end = (answer: A | Refusal): void => {
    if (!isOver) {
      isOver = true;
      done(answer);
    }
  };
  const member = must(cluster.members.get(id), 'the member of a client');
  clock.after(2 * parameters.workload.callTimeoutUs, () => {
    end(lost);
  });
  clock.after(network.latencyUs(), () => {
    if (!member.isUp) {
      end({ kind: 'refused', reason: 'connection refused' });
      return;
    }
    ask(member, (answer) => {
      clock.after(network.latencyUs(), () => {
        end(answer);
      });
    });
  });
}

/** Who asks, as far as a member is told. */
interface TokenHolder {
  readonly token: string | undefined;
}

type RequestCommand = Extract<Request, { type: 'command' }>['command'];

/** Proposes at a member, with the account's token if the client has one. */
export function propose(
  member: SimMember,
  command: RequestCommand,
  { account, timeoutUs }: { readonly account: TokenHolder | undefined; readonly timeoutUs: number },
  reply: (answer: Answer) => void,
): void {
  const done: Parameters<typeof member.run.propose>[2] = (answer) => {
    if (answer.kind === 'applied') {
      reply(answer);
    } else if (answer.outcome === 'rejected') {
      reply({ kind: 'refused', reason: answer.reason });
    } else {
      reply({ kind: 'unknown', reason: answer.reason });
    }
  };
  if (account === undefined) {
    member.run.propose(command, timeoutUs, done);
  } else {
    member.run.gate.propose(account.token, command, timeoutUs, done);
  }
}

/** The code or reason with which somebody was turned away, if so. */
export function refusalOf(answer: Answer): string | undefined {
  if (answer.kind === 'refused') {
    return answer.reason;
  }
  return answer.kind === 'applied' && answer.result.kind === 'refused'
    ? answer.result.code
    : undefined;
}
