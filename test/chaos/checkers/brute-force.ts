/**
 * A deliberately naive twin of the checkers: all orders of all operations, one after the other.
 * Shares nothing with them but the models.
 */
import { type Operation, precedes } from '../../../chaos/checkers/history.ts';
import type { Model } from '../../../chaos/checkers/models.ts';

/** Whether some order of the operations, unknown ones left out or not, explains all of them. */
export function isExplainable<State, Input, Output>(
  history: readonly Operation<Input, Output>[],
  model: Model<State, Input, Output>,
): boolean {
  const extend = (state: State, rest: readonly Operation<Input, Output>[]): boolean =>
    rest.every((it) => it.return === undefined) ||
    rest.some((operation) => {
      const others = rest.filter((it) => it !== operation);
      if (others.some((it) => precedes(it, operation))) {
        return false;
      }
      const next = model.step(state, operation.input, operation.output);
      return next !== undefined && extend(next, others);
    });
  return extend(model.initial, history);
}
