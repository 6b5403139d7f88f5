/**
 * Fencing: whoever acts under a token acts while it is the owner's.
 *
 * An ownership is a key; its create revision is the token; the owner is the one with the lowest
 * among those that are there. For every guarded write: its token's key was there at the revision
 * before, and no lower one; tokens of successive writes never go back; and no token is given twice.
 */
import type { CallRecord } from '../history.ts';
import type { Finding, HistoryView } from './history-view.ts';

const check = 'fencing';

/** Checks guarded writes below `actedPrefix`, whose values begin with the token. */
export function checkFencing(
  view: HistoryView,
  ownedPrefix: string,
  actedPrefix: string,
): readonly Finding[] {
  const findings: Finding[] = [];
  const report = (message: string, calls: readonly CallRecord[] = []) => {
    findings.push({ check, kind: 'violation', message, calls: calls.map(({ id }) => id) });
  };
  const tokens = new Map<string, number>();
  let lastToken = 0;
  for (const [revision, events] of view.events) {
    for (const { key, type, value } of events) {
      if (!key.startsWith(actedPrefix) || type !== 'put') {
        continue;
      }
      const token = Number(value.split(' ')[0]);
      const owner = Math.min(...tokens.values());
      if (!Array.from(tokens.values()).includes(token)) {
        report(`revision ${revision} was written under token ${token}, which had ended`);
      } else if (token !== owner) {
        report(`revision ${revision} was written under token ${token}, while ${owner} owned`);
      }
      if (token < lastToken) {
        report(`revision ${revision} was written under token ${token}, after ${lastToken}`);
      }
      lastToken = token;
    }
    for (const { key, type, createRevision } of events) {
      if (key.startsWith(ownedPrefix)) {
        if (type === 'put') {
          tokens.set(key, createRevision);
        } else {
          tokens.delete(key);
        }
      }
    }
  }
  reportTwice(view, report);
  return findings;
}

function reportTwice(
  view: HistoryView,
  report: (message: string, calls: readonly CallRecord[]) => void,
): void {
  const given = new Map<string, CallRecord>();
  for (const call of view.calls) {
    const { result, request } = call;
    if (result?.type === 'owned' && (request.type === 'lock' || request.type === 'campaign')) {
      const id = `${request.name} ${result.token}`;
      const other = given.get(id);
      // Asking again under the same lease is told the same again.
      const isSame =
        other !== undefined && 'lease' in other.request && other.request.lease === request.lease;
      if (other !== undefined && !isSame) {
        report(`token ${result.token} was given twice`, [other, call]);
      }
      given.set(id, call);
    }
  }
}
