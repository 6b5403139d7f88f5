/**
 * A run as one page that needs nothing else: figures, throughput and latency over time with the
 * faults as bands, a lane for each member with role and term, every finding with its calls marked,
 * the history of any key, and the command that does it all again. Of a game day it also tells what
 * was expected, done, seen and written down.
 *
 * What is computed is computed here; `page.js` draws it.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HistoryView } from '../checkers/history-view.ts';
import { describeRequest } from '../checkers/store.ts';
import { isStoreRequest } from '../checkers/history-view.ts';
import type { Verdict } from '../checks.ts';
import type { Brief } from '../gamedays/gameday.ts';
import type { Story } from '../gamedays/runner.ts';
import type { CallRecord, SampleRecord } from '../history.ts';
import type { RunResult } from '../result.ts';
import { projectRoot } from '../topology/project.ts';

/** Calls that a page holds; the rest is in the history beside it. */
const callsMax = 20_000;
const textMax = 160;

/** What a page tells of a game day beyond its history. */
export interface GameDayPage {
  readonly name: string;
  readonly title: string;
  readonly verdict: Verdict['verdict'];
  readonly brief: Brief;
  readonly story: Story;
}

/** Renders the page; `about` says in a sentence each what workload and nemesis do. */
export function renderReport(
  result: RunResult,
  view: HistoryView,
  about: { readonly workload: string; readonly nemesis: string },
  gameDay?: GameDayPage,
): string {
  const part = (name: string) => readFileSync(join(projectRoot, 'chaos/report', name), 'utf8');
  const all = { ...pageData(result, view), about, gameDay };
  const data = JSON.stringify(all).replaceAll('<', '\\u003c');
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width">',
    `<title>${result.name}: ${(gameDay ?? result.verdict).verdict}</title>`,
    `<style>${part('page.css')}</style></head><body>`,
    '<main id="page"></main>',
    `<script type="application/json" id="data">${data}</script>`,
    `<script>${part('page.js')}</script>`,
    '</body></html>',
    '',
  ].join('\n');
}

function pageData(result: RunResult, view: HistoryView) {
  const offending = new Set(result.verdict.findings.flatMap(({ calls }) => calls));
  const kept = view.calls.filter(({ id }, i) => i < callsMax || offending.has(id));
  return {
    ...result,
    members: view.members,
    endMs: Math.max(1, ...view.calls.map(({ returnMs }) => returnMs)),
    calls: kept.map((call) => ({
      id: call.id,
      from: Math.round(call.callMs * 10) / 10,
      to: Math.round(call.returnMs * 10) / 10,
      outcome: call.outcome,
      member: call.member,
      process: call.process,
      key: keyOf(call),
      text: describeCall(call),
      isOffending: offending.has(call.id),
    })),
    lanes: view.members.map((member) => ({
      member,
      spans: spansOf(view.samples.filter((sample) => sample.member === member)),
    })),
    faults: view.faults,
  };
}

function keyOf({ request }: CallRecord): string {
  if (request.type === 'txn') {
    return request.success[0]?.key ?? request.failure[0]?.key ?? '';
  }
  if ('key' in request) {
    return request.key;
  }
  return 'name' in request ? request.name : 'leases';
}

/** What was asked and told, on one line. */
function describeCall({ request, result, revision, error, attempts }: CallRecord): string {
  const asked = isStoreRequest(request) ? describeRequest(request) : JSON.stringify(request);
  const told =
    error ??
    (result?.type === 'range'
      ? result.kvs.map(({ key, value }) => `${key}=${value}`).join(' ') || 'nothing'
      : result?.type === 'txn'
        ? result.succeeded
          ? 'succeeded'
          : 'condition failed'
        : result?.type === 'done' || result?.type === 'put'
          ? 'done'
          : JSON.stringify(result));
  const at = revision === undefined ? '' : ` at revision ${revision}`;
  const repeated = attempts > 1 ? ` after ${attempts} attempts` : '';
  return `${shortened(asked)} → ${shortened(told)}${at}${repeated}`;
}

function shortened(text: string): string {
  return text.length > textMax ? `${text.slice(0, textMax)}…` : text;
}

/** Samples in a row that say the same, as one span. */
function spansOf(samples: readonly SampleRecord[]) {
  const spans: { state: string; term: number; from: number; to: number }[] = [];
  let lastTerm = 0;
  for (const { state, term, atMs } of samples) {
    lastTerm = term ?? lastTerm;
    const last = spans.at(-1);
    if (last !== undefined) {
      last.to = atMs;
    }
    if (last?.state !== state || last.term !== lastTerm) {
      spans.push({ state, term: lastTerm, from: atMs, to: atMs });
    }
  }
  return spans;
}
