/**
 * Drills with real processes: the leader is stopped for a while (SIGSTOP), and goes on as if
 * nothing had happened. What readers and writers on all members saw must be linearizable.
 *
 * `DRILL_PAUSES` and `DRILL_PAUSE_SECONDS` set how often and for how long.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { checkRevisionOrder } from '../../chaos/checkers/revision-order.ts';
import { Drill } from './drill.ts';
import { RecordedLoad } from './recorded-load.ts';

const pauses = Number(process.env['DRILL_PAUSES'] ?? 1);
const pauseSeconds = Number(process.env['DRILL_PAUSE_SECONDS'] ?? 3);
const prefix = 'pause/';

const title = `by %s: a paused leader serves nothing stale, ${pauses} × ${pauseSeconds} s`;

test.each(['read-index', 'lease'])(
  title,
  {
    timeout: 60_000 + pauses * (pauseSeconds * 1000 + 20_000),
  },
  async (readMode) => {
    const drill = await Drill.start(3, [`--read-mode=${readMode}`]);
    const revision = Number((await (await drill.leader()).admin.status()).header?.revision);
    const load = new RecordedLoad({
      prefix,
      keys: 8,
      readers: 3,
      writers: 2,
      // Longer than a pause: the paused member's late answers are the ones that matter.
      timeoutMs: pauseSeconds * 1000 + 10_000,
      pauseMs: 10,
    });
    load.start(drill.clients);

    for (let i = 0; i < pauses; i++) {
      await sleep(500);
      const leader = await drill.leader();
      await drill.cluster.signal(leader.index, 'SIGSTOP');
      await sleep(pauseSeconds * 1000);
      await drill.cluster.signal(leader.index, 'SIGCONT');
      await leader.client.waitUntilReady(20_000);
    }
    await load.stop();

    const { history } = load;
    const unknown = history.filter((each) => each.return === undefined).length;
    const slow = history.filter(
      (each) => (each.return ?? each.call) - each.call > pauseSeconds * 500,
    ).length;
    const result = checkRevisionOrder(history, { initial: { revision, records: [] } });
    expect(result).toMatchObject({ verdict: 'linearizable' });
    expect(history.length).toBeGreaterThan(100 * pauses);
    expect(slow, 'calls that a paused leader has answered afterwards').toBeGreaterThan(0);
    console.log(
      `${pauses} pauses of ${pauseSeconds} s: ${history.length} operations, ` +
        `${unknown} of unknown outcome, ${slow} answered late`,
    );
  },
);
