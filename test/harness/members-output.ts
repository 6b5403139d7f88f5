/**
 * What members have written goes with their folder when a test ends. Of one that has failed it is
 * shown before that: a run that fails once in hundreds is not to be had again for the asking.
 */
import type { ProcessCluster } from './processes.ts';

/** Lines of each member: from its last start on, and some of what was before. */
const linesMax = 60;

/** How the test stands that a hook is told of. */
export interface EndedTest {
  readonly result?: { readonly state: string } | undefined;
}

/** Shows what the members of `cluster` have written last, if the test has failed. */
export async function showIfFailed({ result }: EndedTest, cluster: ProcessCluster): Promise<void> {
  if (result?.state !== 'fail') {
    return;
  }
  for (const [i, { name }] of cluster.members.entries()) {
    const lines = (await cluster.output(i)).trimEnd().split('\n');
    const shown = lines.slice(-linesMax);
    const title = `--- ${name}, last ${shown.length} of ${lines.length} lines`;
    process.stderr.write(`${[title, ...shown].join('\n')}\n`);
  }
}
