/** The command line of `npm run gameday`. */
import { parseArgs } from 'node:util';

/** What is to be done. */
export interface GameDayOptions {
  /** Empty: they are to be listed. */
  readonly name: string;
  readonly saysYes: boolean;
  readonly isShort: boolean;
  readonly against: 'local' | 'docker';
  readonly seed: number;
  readonly directory: string;
}

const seedDefault = 1;
/** Where the compose file publishes the API of its Toxiproxy. */
const containersToxiproxy = 'http://127.0.0.1:8474';

/** @throws {Error} with what is wrong and what may be given. */
export function parseGameDayOptions(
  args: readonly string[],
  names: readonly string[],
): GameDayOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      list: { type: 'boolean', default: false },
      yes: { type: 'boolean', default: false },
      short: { type: 'boolean', default: false },
      against: { type: 'string', default: 'local' },
      seed: { type: 'string', default: String(seedDefault) },
      out: { type: 'string', default: 'chaos-results/gamedays' },
    },
  });
  const [name = '', ...more] = positionals;
  if (more.length > 0 || (!values.list && !names.includes(name))) {
    throw new Error(`${positionals.join(' ') || 'which one?'}: there are ${names.join(', ')}`);
  }
  const { against } = values;
  if (against !== 'local' && against !== 'docker') {
    throw new Error(`--against ${against}: there are local and docker`);
  }
  const seed = Number(values.seed);
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new Error(`--seed ${values.seed}: must be a whole number from 0`);
  }
  return {
    name: values.list ? '' : name,
    saysYes: values.yes,
    isShort: values.short,
    against,
    seed,
    directory: values.out,
  };
}

/**
 * The running Toxiproxy to use, `named` if that names one; empty: ours is to be started, which
 * could not help containers, whose links run through their own.
 */
export function toxiproxyUrlFor(against: GameDayOptions['against'], named = ''): string {
  if (named !== '') {
    return named;
  }
  return against === 'docker' ? containersToxiproxy : '';
}
