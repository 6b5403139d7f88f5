/**
 * The symbols that `using` and `await using` look for: Node.js has them from 20.5.1 on only.
 * Imported first, for its effect.
 */
for (const name of ['dispose', 'asyncDispose'] as const) {
  if (!(name in Symbol)) {
    Object.defineProperty(Symbol, name, { value: Symbol(`Symbol.${name}`) });
  }
}
