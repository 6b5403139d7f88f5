/** What a game day has come to, of its story and of the history of all calls. */
import type { Verdict } from '../checks.ts';
import type { Story } from './runner.ts';

/** Good only if it was completed, all was as expected, and the history is good. */
export function verdictOf(
  { end, steps }: Pick<Story, 'end' | 'steps'>,
  history: Pick<Verdict, 'verdict'>,
): Verdict['verdict'] {
  const isMissed = steps.some(({ checks }) => checks.some(({ isMet }) => !isMet));
  if (isMissed || history.verdict === 'bad') {
    return 'bad';
  }
  return end === 'completed' && history.verdict === 'good' ? 'good' : 'undecided';
}
