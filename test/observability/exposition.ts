/** Reads the text format of Prometheus, as far as the tests look at it. */

export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: string;
}

export interface Sample {
  readonly name: string;
  /** What is between the braces; '' without labels. */
  readonly labels: string;
  readonly value: number;
}

export function familiesOf(text: string): readonly Family[] {
  return [...text.matchAll(/^# HELP (\S+) (.*)\n# TYPE (\S+) (\S+)$/gm)].map(
    ([, name = '', help = '', typedName, type = '']) => {
      if (typedName !== name) {
        throw new Error(`the help of ${name} is followed by the type of ${String(typedName)}`);
      }
      return { name, help, type };
    },
  );
}

export function samplesOf(text: string): readonly Sample[] {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return lines.map((line) => {
    const [, name, labels = '', value] = /^([a-z_0-9]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (name === undefined) {
      throw new Error(`not a sample: ${line}`);
    }
    return { name, labels, value: Number(value) };
  });
}
