/** How a simulated run fails, and the exit code of each way. */

/** `crash`: an assertion or exception of the code; `safety`, `liveness`: what the run has shown. */
export type FailureKind = 'crash' | 'safety' | 'liveness';

/** Process exit codes; 0 is a run in which everything held, 1 a wrong call of the simulator. */
export const exitCodeByKind: Readonly<Record<FailureKind, number>> = {
  crash: 2,
  safety: 3,
  liveness: 4,
};

/** An invariant does not hold. */
export class SafetyViolation extends Error {
  override readonly name = 'SafetyViolation';
  /** The file in `invariants/` that has found it. */
  readonly invariant: string;

  constructor(invariant: string, message: string) {
    super(`${invariant}: ${message}`);
    this.invariant = invariant;
  }
}

/** Without faults, something did not happen in time. */
export class LivenessViolation extends Error {
  override readonly name = 'LivenessViolation';
}

/** What a run's end is reported as. */
export interface Failure {
  readonly kind: FailureKind;
  readonly message: string;
  readonly stack: string;
}

export function failureOf(error: unknown): Failure {
  const kind =
    error instanceof SafetyViolation
      ? 'safety'
      : error instanceof LivenessViolation
        ? 'liveness'
        : 'crash';
  return {
    kind,
    message: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
    stack: error instanceof Error ? (error.stack ?? '') : '',
  };
}

/** Fails a run unless `isTrue`; the message is built only then. */
export function holds(isTrue: boolean, invariant: string, message: () => string): void {
  if (!isTrue) {
    throw new SafetyViolation(invariant, message());
  }
}
