/** What rules and dashboards ask Prometheus, read from their files. */
import { readdirSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';

const folder = new URL('../../cluster/', import.meta.url);

/** One expression and where it stands. */
export interface Query {
  readonly where: string;
  /** With the variables of dashboards filled in. */
  readonly expression: string;
  /** Metrics and recorded series that it reads. */
  readonly names: readonly string[];
}

/** A rule that records a series, or an alert. */
export interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** The part of a panel that is looked at. */
export interface Panel {
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: {
    readonly x: number;
    readonly y: number;
    readonly w: number;
    readonly h: number;
  };
  readonly fieldConfig?: {
    readonly defaults: {
      readonly unit?: string;
      readonly thresholds?: { readonly steps: readonly { readonly value: number | null }[] };
    };
  };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

/** The part of a dashboard that is looked at. */
export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly panels: readonly Panel[];
  readonly annotations: {
    readonly list: readonly { readonly name: string; readonly expr: string }[];
  };
}

export function read(path: string): string {
  return readFileSync(new URL(path, folder), 'utf8');
}

export function readYaml(path: string): unknown {
  return parse(read(path), { merge: true });
}

export function rules(): readonly Rule[] {
  const file = readYaml('prometheus/rules.yml') as { groups: { rules: Rule[] }[] };
  return file.groups.flatMap((group) => group.rules);
}

export function alerts(): readonly (Rule & { readonly alert: string })[] {
  return rules().flatMap((rule) =>
    rule.alert === undefined ? [] : [{ ...rule, alert: rule.alert }],
  );
}

export function dashboards(): ReadonlyMap<string, Dashboard> {
  const files = readdirSync(new URL('grafana/dashboards', folder));
  return new Map(
    files.map((name) => [name, JSON.parse(read(`grafana/dashboards/${name}`)) as Dashboard]),
  );
}

export function ruleQueries(): readonly Query[] {
  return rules().map(({ record, alert, expr }) => queryOf(`rule ${record ?? alert ?? ''}`, expr));
}

export function dashboardQueries(): readonly Query[] {
  return [...dashboards()].flatMap(([file, { panels, annotations }]) => [
    ...panels.flatMap(({ title, targets = [] }) =>
      targets.map(({ expr }) => queryOf(`${file}: ${title}`, expr)),
    ),
    ...annotations.list.map(({ name, expr }) => queryOf(`${file}: annotation ${name}`, expr)),
  ]);
}

/** The words of PromQL that are no names of series, as far as they occur. */
const words = new Set(
  (
    'and or on by ignoring group_left group_right offset sum max min count avg rate increase ' +
    'changes histogram_quantile avg_over_time count_values absent clamp_min vector time'
  ).split(' '),
);

function queryOf(where: string, text: string): Query {
  const expression = text
    .replaceAll('$__rate_interval', '1m')
    .replaceAll('$job', 'holdfast')
    .replaceAll('$instance', '.+');
  const bare = expression
    .replace(/\{[^}]*\}|"[^"]*"|\[[^\]]*\]/g, ' ')
    .replace(/\b(?:by|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, ' ')
    .replace(/\boffset \w+/g, ' ');
  const names = [...bare.matchAll(/(?<![\w.])[a-zA-Z_][\w:]*/g)].map(([name]) => name);
  return { where, expression, names: [...new Set(names)].filter((name) => !words.has(name)) };
}
