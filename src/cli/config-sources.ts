/**
 * Where the settings of `holdfast server` come from: flag before variable before file before
 * default.
 *
 * Every value is text with the place it was set at, so that a problem can name what to change.
 * Names that no setting has are problems too: a misspelt one would otherwise be ignored in silence.
 */
import { parse as parseYaml } from 'yaml';
import { type ServerFlag, type ServerFlagName, serverFlags } from './server-flags.ts';

/** What was given. */
export interface ConfigSources {
  /** Flags as given, by name without dashes. */
  readonly flags: Readonly<Record<string, string | undefined>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Content and name of the YAML file, when there is one. */
  readonly file?: { readonly path: string; readonly text: string } | undefined;
}

/** A setting's text, undefined when it was not set and has no default; and where it was set. */
export interface Setting {
  readonly text: string | undefined;
  readonly where: string;
}

const prefix = 'HOLDFAST_';

/** Variables that are read elsewhere. */
const otherVariables: readonly string[] = [
  'HOLDFAST_CONFIG_FILE',
  'HOLDFAST_ENDPOINTS',
  'HOLDFAST_CACERT',
  'HOLDFAST_CERT',
  'HOLDFAST_KEY',
  'HOLDFAST_VERIFY',
  'HOLDFAST_HISTORIES',
];

/** What Kubernetes sets in each container for a Service whose name begins with `holdfast`. */
const serviceVariable =
  /_(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT(?:_\d+_[A-Z]+(?:_(?:PROTO|PORT|ADDR))?)?)$/;

const allFlags: readonly ServerFlag[] = serverFlags;

/** The environment variable of a setting. */
export function variableOf(name: string): string {
  return `${prefix}${name.toUpperCase().replaceAll('-', '_')}`;
}

/** Looks settings up, and collects what is wrong with them. */
export class ConfigReader {
  readonly problems: string[] = [];
  readonly #sources: ConfigSources;
  /** The file's settings as text. */
  readonly #fromFile = new Map<string, string>();

  constructor(sources: ConfigSources) {
    this.#sources = sources;
    this.#readFile();
    this.#checkVariables();
  }

  problem(text: string): void {
    this.problems.push(text);
  }

  get(name: ServerFlagName): Setting {
    const flag = this.#sources.flags[name];
    if (flag !== undefined) {
      return { text: flag, where: `--${name}` };
    }
    const variable = variableOf(name);
    const fromEnv = this.#sources.env[variable];
    if (fromEnv !== undefined) {
      return { text: fromEnv, where: variable };
    }
    const fromFile = this.#fromFile.get(name);
    if (fromFile !== undefined) {
      return { text: fromFile, where: `${this.#sources.file?.path ?? ''}: ${name}` };
    }
    return { text: allFlags.find((each) => each.name === name)?.default, where: `--${name}` };
  }

  /** The text, which must match; '' when there is none. */
  string(name: ServerFlagName, pattern: RegExp, mustBe: string): string {
    const { text = '', where } = this.get(name);
    if (!pattern.test(text)) {
      this.problem(`${where}: "${text}" must be ${mustBe}`);
    }
    return text;
  }

  /** A whole number within bounds. NaN when it is none: no comparison with that makes a problem. */
  integer(name: ServerFlagName, min: number, max: number): number {
    const { text = '', where } = this.get(name);
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) {
      return value;
    }
    this.problem(`${where}: "${text}" must be a whole number from ${min} to ${max}`);
    return Number.NaN;
  }

  choice<T extends string>(name: ServerFlagName, choices: readonly [T, ...T[]]): T {
    const { text, where } = this.get(name);
    const found = choices.find((choice) => choice === text);
    if (found === undefined) {
      this.problem(`${where}: "${text ?? ''}" must be one of ${choices.join(', ')}`);
    }
    return found ?? choices[0];
  }

  boolean(name: ServerFlagName): boolean {
    return this.choice(name, ['true', 'false']) === 'true';
  }

  /** Parts of a comma-separated list; none when it is empty. */
  list(name: ServerFlagName): readonly string[] {
    const parts = (this.get(name).text ?? '').split(',').map((part) => part.trim());
    return parts.filter((part) => part !== '');
  }

  #readFile(): void {
    const { file } = this.#sources;
    if (file === undefined) {
      return;
    }
    const names = allFlags.map((flag) => flag.name);
    for (const [key, value] of Object.entries(this.#parseFile(file.text, file.path))) {
      const text = textOf(value);
      if (!names.includes(key)) {
        this.problem(
          `${file.path}: unknown key "${key}"${suggestion(key, names)}; ` +
            'keys are flag names without dashes in front',
        );
      } else if (text === undefined) {
        this.problem(`${file.path}: ${key}: must be one value, or a list of them`);
      } else {
        this.#fromFile.set(key, text);
      }
    }
  }

  #parseFile(text: string, path: string): object {
    try {
      // The failsafe schema takes every value as it is written: 0123 and 1.10 stay what they are.
      const content: unknown = parseYaml(text, { schema: 'failsafe', logLevel: 'error' });
      if (content === null || content === '') {
        return {};
      }
      if (typeof content === 'object' && !Array.isArray(content)) {
        return content;
      }
      this.problem(`${path}: must be a YAML mapping of flag names to values, as in "name: n1"`);
    } catch (error) {
      const [firstLine = ''] = (error as Error).message.split('\n');
      this.problem(`${path}: is not valid YAML: ${firstLine.replace(/:$/, '')}`);
    }
    return {};
  }

  #checkVariables(): void {
    const variables = allFlags.map((flag) => variableOf(flag.name));
    for (const variable of Object.keys(this.#sources.env)) {
      const isKnown =
        variables.includes(variable) ||
        otherVariables.includes(variable) ||
        serviceVariable.test(variable);
      if (variable.startsWith(prefix) && !isKnown) {
        this.problem(
          `${variable}: there is no such setting${suggestion(variable, variables)}; ` +
            'see "holdfast server --help"',
        );
      }
    }
  }
}

/**
 * A value of the file as it would be written on the command line; undefined for anything nested.
 */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') {
    return value;
  }
  const isList = Array.isArray(value) && value.every((part) => typeof part === 'string');
  return isList ? value.join(',') : undefined;
}

/** `, did you mean "data-dir"?` when one of `names` is that close. */
function suggestion(word: string, names: readonly string[]): string {
  const plain = plainForm(word);
  const [best] = names
    .map((name) => ({ name, edits: editDistance(plain, plainForm(name)) }))
    .filter(({ edits }) => edits <= Math.max(1, Math.floor(plain.length / 4)))
    .sort((a, b) => a.edits - b.edits);
  return best === undefined ? '' : `, did you mean "${best.name}"?`;
}

/** So that data_dir, dataDir and DATA-DIR are all taken for data-dir. */
function plainForm(word: string): string {
  return word.toLowerCase().replace(/[^a-z]/g, '');
}

/** Levenshtein's distance. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(replaced, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    previous = row;
  }
  return previous[b.length] ?? 0;
}
