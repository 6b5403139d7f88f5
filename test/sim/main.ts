import { createCase } from './profiles.ts';
import { simulate } from './simulation.ts';
const [from = '1', to = from, profile = 'mixed', trace] = process.argv.slice(2);
const start = performance.now();
let us = 0,
  steps = 0;
for (let seed = Number(from); seed <= Number(to); seed++) {
  const t = performance.now();
  const c = createCase(seed, profile);
  const r = simulate(c, trace ? (l) => process.stdout.write(l + '\n') : undefined);
  us += r.simulatedUs;
  steps += r.steps;
  if (!trace || r.failure)
    console.log(
      seed,
      c.parameters.nodes,
      (performance.now() - t).toFixed(0) + 'ms',
      JSON.stringify({ ...r, failure: r.failure?.message }),
    );
  if (r.failure) {
    console.log(r.failure.stack);
    break;
  }
}
console.log(
  (us / 3.6e9).toFixed(2),
  'h',
  steps,
  ((performance.now() - start) / 1000).toFixed(1),
  's',
);
