/**
 * What is said of a command line that is not understood. Flags and commands that etcd and etcdctl
 * have for TLS and users are told apart from misspelt ones: who brings them must not take them for
 * a matter of spelling, and a password that came with one is not repeated.
 */

/** A flag's name as commander quotes it, up to a value that is joined to it. */
function flags(...names: readonly string[]): RegExp {
  return new RegExp(`^unknown option '(--(?:${names.join('|')}))(?:=.*)?'`, 's');
}

const notThereYet: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [
    flags(
      ...['(?:peer-)?client-(?:cert|key)-file', 'self-signed-cert-validity', 'insecure-transport'],
      ...['(?:experimental-)?peer-skip-client-san-verification', 'tls-.*'],
    ),
    'TLS has no such setting here: see docs/security.md',
  ],
  [
    flags('auth-token', 'bcrypt-cost'),
    'there is no such setting of tokens and passwords here: see docs/security.md',
  ],
  [flags('user', 'password', 'new-user-password'), 'this command does not ask members as anybody'],
];

/** The line for what commander says is wrong. */
export function wrongUsage(text: string): string {
  const reason = text
    .replace(/^error: /, '')
    .trim()
    .replace(/\n/g, ' ');
  for (const [pattern, why] of notThereYet) {
    const [, name] = pattern.exec(reason) ?? [];
    if (name !== undefined) {
      return `holdfast: ${name}: ${why} (see --help)`;
    }
  }
  return `holdfast: ${reason} (see --help)`;
}
