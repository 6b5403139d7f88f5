import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type ErrorCode, errorCodes, KvError } from '../../src/base/index.ts';
import { Metrics } from '../../src/observability/index.ts';
import { toServiceError } from '../../src/rpc/status.ts';
import { familiesOf } from '../observability/exposition.ts';
import { alerts, dashboardQueries, dashboards, type Query } from './queries.ts';
import { read, readYaml, ruleQueries, rules } from './queries.ts';

const root = new URL('../../', import.meta.url);

/** Every name under which a member shows something. */
async function seriesNames(): Promise<ReadonlySet<string>> {
  const metrics = new Metrics();
  metrics.startProcessMetrics({ nowMs: () => 1500 });
  const families = familiesOf(await metrics.render());
  return new Set(
    families.flatMap(({ name, type }) =>
      type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
    ),
  );
}

/** What is asked for and does not exist. */
async function unknownNames(queries: readonly Query[]): Promise<readonly string[]> {
  const known = new Set([...(await seriesNames()), 'up', 'ALERTS']);
  for (const { record } of rules()) {
    known.add(record ?? '');
  }
  return queries.flatMap(({ where, names }) =>
    names.filter((name) => !known.has(name)).map((name) => `${where}: ${name}`),
  );
}

/** The codes that a rule counts as failures of the service. */
function failureCodes(record: string): readonly string[] {
  const rule = rules().find((each) => each.record === record);
  const [, list = ''] = /code=~"([^"]*)"/.exec(rule?.expr ?? '') ?? [];
  return list.split('|');
}

/** gRPC statuses by which a service says that it is at fault. */
const faultStatuses = new Map([
  [8, 'RESOURCE_EXHAUSTED'],
  [13, 'INTERNAL'],
  [14, 'UNAVAILABLE'],
  [15, 'DATA_LOSS'],
]);

function isFault(code: ErrorCode): boolean {
  const { code: status } = toServiceError(new KvError(code), () => undefined);
  return faultStatuses.has(status);
}

describe('cluster/prometheus/rules.yml', () => {
  test('asks only for metrics that members have, or that it records', async () => {
    expect(ruleQueries().flatMap(({ names }) => names).length).toBeGreaterThan(30);
    expect(await unknownNames(ruleQueries())).toEqual([]);
  });

  test('a name that no member has would be noticed', async () => {
    const names = ['holdfast_raft_term', 'holdfast_raft_trem', 'job:unknown:rate5m'];
    const query = { where: 'planted', expression: '', names };

    expect(await unknownNames([query])).toEqual([
      'planted: holdfast_raft_trem',
      'planted: job:unknown:rate5m',
    ]);
  });

  test('every alert has a severity, a summary, a description and a runbook that is there', () => {
    for (const { alert, labels, annotations } of alerts()) {
      expect(`${alert} ${labels?.['severity'] ?? ''}`).toMatch(/^Holdfast\w+ (page|ticket)$/);
      expect(annotations?.['summary']).toMatch(/\S/);
      expect(annotations?.['description']).toMatch(/\.$/);
      expect(annotations?.['runbook']).toMatch(/^docs\/runbooks\/[\w-]+\.md$/);
      const path = new URL(annotations?.['runbook'] ?? '', root);
      expect(existsSync(path)).toBe(true);
      expect(readFileSync(path, 'utf8')).toContain(`\`${alert}\``);
    }
  });

  test('what it must watch is watched', () => {
    expect(alerts().map(({ alert }) => alert)).toEqual(
      expect.arrayContaining([
        'HoldfastWriteSuccessLow',
        'HoldfastLeaderless',
        'HoldfastFsyncSlow',
        'HoldfastReplicaLag',
        'HoldfastStateHashMismatch',
        'HoldfastQuotaNear',
        'HoldfastErrorBudgetBurnFast',
        'HoldfastErrorBudgetBurnSlow',
      ]),
    );
  });

  test('failures of the service are all codes by which it says so, and no others', () => {
    // What a learner, a session, a cluster with all its users, and anybody at once should not have
    // been asked for.
    const askedWrongly = [
      ...['NOT_SUPPORTED_FOR_LEARNER', 'TOO_MANY_ANSWERS', 'TOO_MANY_ACCOUNTS'],
      'ANSWER_TOO_LARGE',
    ];
    // The member asked had to find the leader itself.
    const faults = [...errorCodes.filter((code) => isFault(code)), 'NOT_LEADER'];
    const expected = faults.filter((code) => !askedWrongly.includes(code)).sort();

    expect([...failureCodes('job:holdfast_requests_failed:rate5m')].sort()).toEqual(expected);
    expect([...failureCodes('job:holdfast_writes_failed:rate5m')].sort()).toEqual(expected);
  });

  test('methods are those that members count', () => {
    const services = readdirSync(new URL('src/rpc', root)).map((name) =>
      readFileSync(new URL(`src/rpc/${name}`, root), 'utf8'),
    );
    const matchers = rules().flatMap(({ expr }) => [...expr.matchAll(/method=~"([^"]*)"/g)]);
    const methods = new Set(matchers.flatMap(([, list = '']) => list.split('|')));

    expect(methods.size).toBeGreaterThan(5);
    for (const method of methods) {
      expect(services.some((text) => text.includes(`'${method}'`))).toBe(true);
    }
  });

  test('every alert is shown to fire, and not to fire, in the tests of the rules', () => {
    const cases = ['rules.test.yml', 'budget.test.yml'].flatMap((name) => {
      const file = readYaml(`prometheus/${name}`) as {
        tests: { alert_rule_test: { alertname: string; exp_alerts: unknown[] }[] }[];
      };
      return file.tests.flatMap((each) => each.alert_rule_test);
    });
    for (const { alert } of alerts()) {
      const own = cases.filter(({ alertname }) => alertname === alert);
      const fires = own.some((each) => each.exp_alerts.length > 0);
      const keepsStill = own.some((each) => each.exp_alerts.length === 0);
      expect({ alert, fires, keepsStill }).toEqual({ alert, fires: true, keepsStill: true });
    }
  });
});

describe('docs/runbooks', () => {
  const pages = readdirSync(new URL('docs/runbooks', root)).filter((name) => name !== 'README.md');
  const textOf = (name: string): string =>
    readFileSync(new URL(`docs/runbooks/${name}`, root), 'utf8');

  test('each page is of an alert, or is practised on a game day, and says what to do', () => {
    const linked = new Set(alerts().map(({ annotations }) => annotations?.['runbook']));
    const gameDays = readFileSync(new URL('docs/gamedays.md', root), 'utf8');

    for (const name of pages) {
      const isOfAlert = linked.has(`docs/runbooks/${name}`);
      const isPractised = gameDays.includes(`(runbooks/${name})`);
      expect({ name, isUsed: isOfAlert || isPractised }).toEqual({ name, isUsed: true });
      // A procedure is begun by whoever wants it, and has nothing to be seen first.
      const parts = ['What it means', 'What to do', ...(isOfAlert ? ['How to see it'] : [])];
      for (const part of parts) {
        expect(textOf(name)).toContain(`**${part}`);
      }
      expect(textOf('README.md')).toContain(`(${name})`);
    }
  });

  test('the list names every alert with its severity', () => {
    const list = textOf('README.md');

    for (const { alert, labels } of alerts()) {
      const row = list.split('\n').find((line) => line.includes(`\`${alert}\``)) ?? '';
      expect(row).toContain(labels?.['severity'] ?? 'a severity');
    }
  });
});

describe('cluster/grafana/dashboards', () => {
  const all = [...dashboards()];

  test('there is one for executives, one for who is on call, one for finding defects', () => {
    expect(all.map(([name]) => name)).toEqual(['debug.json', 'executive.json', 'on-call.json']);
    expect(new Set(all.map(([, { uid }]) => uid)).size).toBe(3);
  });

  test('ask only for metrics that members have, or that rules record', async () => {
    expect(dashboardQueries().length).toBeGreaterThan(60);
    expect(await unknownNames(dashboardQueries())).toEqual([]);
  });

  test.each(all)('in %s every panel has a description, a unit and thresholds', (_, { panels }) => {
    const graphs = panels.filter(({ type }) => type !== 'row');

    expect(graphs.length).toBeGreaterThan(8);
    for (const { title, description, fieldConfig, targets = [] } of graphs) {
      expect(`${title}: ${description ?? ''}`).toMatch(/: .+\.$/);
      expect(fieldConfig?.defaults.unit).toMatch(/^(none|s|bytes|percentunit|reqps|ops)$/);
      const [first, ...rest] = fieldConfig?.defaults.thresholds?.steps ?? [];
      expect(first).toMatchObject({ value: null });
      const values = rest.map(({ value }) => value ?? Number.NaN);
      expect(values).toEqual([...values].sort((a, b) => a - b));
      expect(targets.length).toBeGreaterThan(0);
    }
  });

  test.each(all)('in %s no two panels overlap, and none is wider than the page', (_, dashboard) => {
    const taken = new Set<string>();
    for (const { gridPos } of dashboard.panels) {
      const { x, y, w, h } = gridPos;
      expect(x + w).toBeLessThanOrEqual(24);
      for (let i = 0; i < w * h; i++) {
        const cell = `${x + (i % w)} ${y + Math.floor(i / w)}`;
        expect(taken.has(cell)).toBe(false);
        taken.add(cell);
      }
    }
  });

  test('the data source that they name is the one that is provisioned', () => {
    const { datasources } = readYaml('grafana/provisioning/datasources/prometheus.yml') as {
      datasources: { uid: string }[];
    };
    const named = all.flatMap(([name]) => [
      ...read(`grafana/dashboards/${name}`).matchAll(/"type": "prometheus",\s*"uid": "([^"]*)"/g),
    ]);

    expect(new Set(named.map(([, uid]) => uid))).toEqual(
      new Set(datasources.map(({ uid }) => uid)),
    );
  });
});
