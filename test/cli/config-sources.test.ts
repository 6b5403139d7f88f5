import { describe, expect, test } from 'vitest';
import { ConfigReader, type ConfigSources, variableOf } from '../../src/cli/config-sources.ts';
import { serverFlags } from '../../src/cli/server-flags.ts';

const reader = (sources: Partial<ConfigSources>): ConfigReader =>
  new ConfigReader({ flags: {}, env: {}, ...sources });

const yaml = (text: string): Partial<ConfigSources> => ({ file: { path: 'c.yaml', text } });

describe('ConfigReader', () => {
  test('a flag wins over a variable, that over the file, and that over the default', () => {
    for (const flag of serverFlags) {
      const { name } = flag;
      const byFlag = { flags: { [name]: 'by flag' } };
      const byEnv = { env: { [variableOf(name)]: 'by variable' } };
      const byFile = yaml(`${name}: by file`);

      expect(reader({ ...byFlag, ...byEnv, ...byFile }).get(name)).toEqual({
        text: 'by flag',
        where: `--${name}`,
      });
      expect(reader({ ...byEnv, ...byFile }).get(name)).toEqual({
        text: 'by variable',
        where: variableOf(name),
      });
      expect(reader(byFile).get(name)).toEqual({ text: 'by file', where: `c.yaml: ${name}` });
      expect(reader({}).get(name)).toEqual({
        text: 'default' in flag ? flag.default : undefined,
        where: `--${name}`,
      });
    }
  });

  test('an empty flag or variable is a value, not the absence of one', () => {
    const sources = { flags: { 'peer-dial': '' }, env: { HOLDFAST_PEER_DIAL: 'n1=a:1' } };

    expect(reader(sources).get('peer-dial').text).toBe('');
    expect(reader({ env: { HOLDFAST_DATA_DIR: '' } }).get('data-dir').text).toBe('');
  });

  test.each([
    ['dat-dir', 'data-dir'],
    ['data_dir', 'data-dir'],
    ['dataDir', 'data-dir'],
    ['listen-clients-urls', 'listen-client-urls'],
    ['heartbeat', undefined],
    ['tls', undefined],
  ])('the unknown key %s is a problem, with a suggestion if one is close: %s', (key, close) => {
    const [problem, ...more] = reader(yaml(`${key}: x`)).problems;

    expect(more).toEqual([]);
    expect(problem).toContain(`c.yaml: unknown key "${key}"`);
    expect(/did you mean "(.*?)"/.exec(problem ?? '')?.[1]).toBe(close);
  });

  test('an unknown variable is a problem, with a suggestion', () => {
    const { problems } = reader({ env: { HOLDFAST_DATADIR: 'x', HOLDFAST_X: 'y', OTHER: 'z' } });

    expect(problems).toHaveLength(2);
    expect(problems[0]).toContain('did you mean "HOLDFAST_DATA_DIR"?');
    expect(problems[1]).toContain('HOLDFAST_X: there is no such setting');
  });

  test('what Kubernetes sets for a service named holdfast is no setting', () => {
    const env = {
      HOLDFAST_SERVICE_HOST: '10.0.0.1',
      HOLDFAST_SERVICE_PORT: '2379',
      HOLDFAST_SERVICE_PORT_CLIENT: '2379',
      HOLDFAST_PORT: 'tcp://10.0.0.1:2379',
      HOLDFAST_PORT_2379_TCP: 'tcp://10.0.0.1:2379',
      HOLDFAST_PORT_2379_TCP_PROTO: 'tcp',
      HOLDFAST_PORT_2379_TCP_PORT: '2379',
      HOLDFAST_PORT_2379_TCP_ADDR: '10.0.0.1',
      HOLDFAST_PEERS_SERVICE_HOST: '10.0.0.2',
    };

    expect(reader({ env }).problems).toEqual([]);
  });

  test('no setting looks like a variable of Kubernetes', () => {
    const misspelt = serverFlags.map(({ name }) => `${variableOf(name)}X`);
    const env = Object.fromEntries(misspelt.map((name) => [name, '']));

    expect(reader({ env }).problems).toHaveLength(serverFlags.length);
  });

  test('values of the file are taken as they are written', () => {
    const text = [
      'name: 007',
      'initial-cluster-token: 1.10',
      'insecure: true',
      'log-level: "warn" # quietly',
      'data-dir:',
    ].join('\n');
    const settings = reader(yaml(text));

    expect(settings.problems).toEqual([]);
    expect(settings.get('name').text).toBe('007');
    expect(settings.get('initial-cluster-token').text).toBe('1.10');
    expect(settings.get('insecure').text).toBe('true');
    expect(settings.get('log-level').text).toBe('warn');
    expect(settings.get('data-dir').text).toBe('');
  });

  test('a list of the file is the same as one with commas', () => {
    const list = 'listen-client-urls:\n  - http://a:1\n  - http://b:2\n';

    expect(reader(yaml(list)).list('listen-client-urls')).toEqual(['http://a:1', 'http://b:2']);
  });

  test.each(['initial-cluster: {n1: "http://a:1"}', 'initial-cluster: [[a], b]'])(
    'a nested value (%s) is a problem',
    (text) => {
      expect(reader(yaml(text)).problems).toEqual([
        'c.yaml: initial-cluster: must be one value, or a list of them',
      ]);
    },
  );

  test.each(['', '# nothing yet\n', '---\n'])('a file without content (%j) is fine', (text) => {
    expect(reader(yaml(text)).problems).toEqual([]);
  });

  test.each([
    ['- name', 'must be a YAML mapping'],
    ['name', 'must be a YAML mapping'],
    ['name: "n1', 'is not valid YAML'],
    ['name: a: b', 'at line 1, column 7'],
    ['name: a\nname: b', 'Map keys must be unique at line 2, column 1'],
    ['name: *other', 'is not valid YAML'],
  ])('a file that is no mapping (%j) is a problem of one line', (text, why) => {
    const [problem, ...more] = reader(yaml(text)).problems;

    expect(more).toEqual([]);
    expect(problem).toMatch(/^c\.yaml: /);
    expect(problem).toContain(why);
    expect(problem).not.toContain('\n');
  });
});

describe('variableOf', () => {
  test('is the flag in capitals, with the name of the product before it', () => {
    expect(variableOf('listen-client-urls')).toBe('HOLDFAST_LISTEN_CLIENT_URLS');
  });
});
