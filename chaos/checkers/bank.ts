/** Transfers move money and make none: every read of all accounts has the same total. */
import { type Finding, type HistoryView, isAnswered } from './history-view.ts';

const check = 'bank';

/** The balance in an account's value: what stands behind it makes the value the only one. */
export function balanceOf(value: string): number {
  return Number(value.split(' ')[0]);
}

/** Checks each read of all `accounts`, once they have been set up. */
export function checkBank(
  view: HistoryView,
  accounts: readonly string[],
  total: number,
): readonly Finding[] {
  const findings: Finding[] = [];
  for (const call of view.calls) {
    if (!isAnswered(call) || call.request.type !== 'range' || call.result.type !== 'range') {
      continue;
    }
    const { kvs } = call.result;
    const balances = new Map(kvs.map(({ key, value }) => [key, balanceOf(value)]));
    const sum = kvs.reduce((all, { value }) => all + balanceOf(value), 0);
    const missing = accounts.filter((account) => !balances.has(account));
    const below = accounts.filter((account) => (balances.get(account) ?? 0) < 0);
    const problem =
      missing.length > 0
        ? `no ${missing.join(', ')}`
        : below.length > 0
          ? `less than nothing on ${below.join(', ')}`
          : sum !== total
            ? `a total of ${sum} instead of ${total}`
            : undefined;
    if (problem !== undefined) {
      const message = `a read at revision ${call.revision} by way of ${call.member} saw ${problem}`;
      findings.push({ check, kind: 'violation', message, calls: [call.id] });
    }
  }
  return findings;
}
