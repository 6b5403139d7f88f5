/**
 * Tells of refused connections: the first one of each kind, then at most one in ten seconds with
 * how many there were. So a scanner or a client that tries for ever floods no log.
 *
 * Limit: one entry for each kind of refusal and listener; kinds are few and fixed.
 */
import type { MonotonicClock } from '../base/index.ts';

/** Between two lines about one kind of refusal, milliseconds. */
const pauseMs = 10_000;

/** What refused connections have in common. */
export type RefusalKind =
  /** The handshake failed: no TLS, another version, no certificate. */
  | 'handshake'
  /** Its certificate is not good here. */
  | 'certificate'
  /** It did not finish in time. */
  | 'slow'
  /** Too many were not finished. */
  | 'full'
  /** Too many were open. */
  | 'connections'
  | 'tls-on-plain-port';

/** A connection that was refused. */
export interface RefusedConnection {
  readonly listener: 'clients' | 'peers' | 'metrics';
  readonly kind: RefusalKind;
  /** In words, with what to do. */
  readonly reason: string;
  /** Where it came from, as far as that is still known. */
  readonly client: string;
  /** Others of its kind since the line before, which had none of their own. */
  readonly more?: number | undefined;
  /** Whether it is to be told in a line, and not only counted. */
  readonly isTold: boolean;
}

/** See the module comment. */
export class RefusalLog {
  readonly #clock: MonotonicClock;
  readonly #tell: (refused: RefusedConnection) => void;
  readonly #byKind = new Map<RefusalKind, { toldMs: number; untold: number }>();

  constructor(clock: MonotonicClock, tell: (refused: RefusedConnection) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  /** Passes a refusal on, with whether it is to be told. */
  tell(refused: Omit<RefusedConnection, 'more' | 'isTold'>): void {
    const nowMs = this.#clock.nowMs();
    const before = this.#byKind.get(refused.kind);
    if (before !== undefined && nowMs - before.toldMs < pauseMs) {
      before.untold++;
      this.#tell({ ...refused, isTold: false });
      return;
    }
    this.#byKind.set(refused.kind, { toldMs: nowMs, untold: 0 });
    const more = before === undefined || before.untold === 0 ? undefined : before.untold;
    this.#tell({ ...refused, more, isTold: true });
  }
}
