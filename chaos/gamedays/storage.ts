/** Game days about what is stored: a full disk, and a cluster that has to come out of a backup. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { disks } from '../nemesis/disks.ts';
import type { Fault } from '../nemesis/fault.ts';
import { run } from '../nemesis/tools.ts';
import { Cluster, type MemberPlan } from '../topology/cluster.ts';
import { prefixOf } from '../topology/links.ts';
import { holdfastCommand } from '../topology/project.ts';
import type { WatchEvent } from '../history.ts';
import type { GameDay } from './gameday.ts';
import {
  faultNamed,
  healStep,
  keepsWriting,
  lookAtCalm,
  paceOf,
  since,
  untouched,
  workloadNamed,
  writesAgain,
} from './parts.ts';
import type { Stage } from './stage.ts';

const startLimitMs = 30_000;
const callTimeoutMs = 5000;

async function holdfast(...args: readonly string[]): Promise<string> {
  return (await run(process.execPath, [holdfastCommand, ...args])).stdout;
}

const fullDisk = faultNamed(disks, 'disk-full');

const diskFull: GameDay = {
  name: 'disk-full',
  title: 'the disk of the leader is full',
  workload: workloadNamed('append'),
  faults: [fullDisk],
  onlyLocal: 'it fills a file system that is made for the purpose',
  brief: {
    hypothesis:
      'A member without room loses nothing and stands in nobody’s way; it goes on once there ' +
      'is room.',
    expected: [
      'writes go on at the others within 3 s: a leader without room does not lead',
      'the member answers DISK_FULL, waits, or ends; what it had acknowledged is there',
      'with room again it serves and catches up',
    ],
    watch: [
      'on call, Who leads: another one',
      'on call, Failed commands and Requests by outcome: DISK_FULL at one member',
      'debug, Bytes on disk',
    ],
    abort: ['a second disk fills up', 'nobody has led for 10 s'],
    writeDown: [
      'Which alert told you, and how long before the disk was full could it have told you?',
      'What shares the disk with your members, and may it fill it?',
    ],
    runbook: 'runbooks/disk-full.md',
  },
  steps: [
    lookAtCalm,
    {
      title: 'Fill the disk of the leader',
      about: 'A file takes what room there is. Nothing of the member’s own is touched.',
      async act(stage) {
        const running = await stage.inject(fullDisk);
        await stage.hold(15, 5);
        const stretch = since(stage, running.fromMs);
        return {
          seen: `${running.injected.what}; ${paceOf(stage, stretch)}`,
          checks: [writesAgain(stage, untouched(stage, running), running.fromMs)],
        };
      },
    },
    healStep('Make room, and start the member again', 'The file is removed.'),
  ],
};

/** The state of all keys after a revision, by the store's own account. */
export function stateAt(
  events: ReadonlyMap<number, readonly WatchEvent[]>,
  revision: number,
): ReadonlyMap<string, string> {
  const state = new Map<string, string>();
  for (const at of Array.from(events.keys()).sort((a, b) => a - b)) {
    for (const { type, key, value } of at <= revision ? (events.get(at) ?? []) : []) {
      if (type === 'put') {
        state.set(key, value);
      } else {
        state.delete(key);
      }
    }
  }
  return state;
}

function backupFile(stage: Stage): string {
  return join(stage.directory, 'backup.db');
}

/** A whole snapshot is saved by the command line, while clients work. */
function backup(stage: Stage): Fault {
  return {
    name: 'backup',
    about: 'a snapshot is saved while clients work',
    async inject({ cluster, members }) {
      const [member = ''] = members;
      const { clientAddress } = cluster.member(member).place;
      await holdfast('snapshot', 'save', backupFile(stage), '--endpoints', clientAddress);
      return {
        what: `a snapshot of ${member} was saved`,
        members: [member],
        keepsMajority: true,
        heal: async () => Promise.resolve(),
        evidence: async () => `${(await stat(backupFile(stage))).size} bytes in backup.db`,
      };
    },
  };
}

async function backupRevision(stage: Stage): Promise<number> {
  const told = await holdfast('snapshot', 'status', backupFile(stage), '-w', 'json');
  return (JSON.parse(told) as { readonly revision: number }).revision;
}

/** Makes a data directory out of the backup, as it is done on every member of the new cluster. */
async function restoreInto(stage: Stage, plan: MemberPlan): Promise<void> {
  await holdfast(
    'snapshot',
    'restore',
    backupFile(stage),
    `--name=${plan.name}`,
    `--data-dir=${plan.dataDir}`,
    `--initial-cluster=${plan.initialCluster}`,
    `--initial-cluster-token=${plan.token}`,
    `--initial-advertise-peer-urls=${plan.peerUrl}`,
  );
}

/** Starts a new cluster from the backup, and compares what it holds with what it should. */
async function restoreAndCompare(stage: Stage) {
  const { view } = await stage.finish();
  const revision = await backupRevision(stage);
  const expected = stateAt(view.events, revision);
  const cluster = await Cluster.start({
    size: view.members.length,
    directory: join(stage.directory, 'restored'),
    toxiproxyUrl: stage.toxiproxyUrl,
    prefix: prefixOf('restored'),
    onCrash: () => undefined,
    fill: async (plan) => restoreInto(stage, plan),
  });
  try {
    const leader = await cluster.waitForLeader(startLimitMs);
    const reader = cluster.operator(leader);
    const settings = { timeoutMs: callTimeoutMs };
    const read = await reader.call({ type: 'range', key: '\0', rangeEnd: '\0' }, settings);
    const kvs = read.result?.type === 'range' ? read.result.kvs : [];
    const wrong = kvs.filter(({ key, value }) => expected.get(key) !== value);
    const put = { type: 'put', key: 'after', value: 'the restore' } as const;
    const written = await reader.call(put, settings);
    const lost = view.lastRevision - revision;
    return {
      seen: `${leader} leads the new cluster; the last ${lost} revisions before the loss are gone`,
      checks: [
        {
          what: `all ${expected.size} keys are as they were at revision ${revision}`,
          isMet: kvs.length === expected.size && wrong.length === 0,
          seen: `${kvs.length} keys, ${wrong.length} of them different`,
        },
        {
          what: 'the revision is above all that was ever told',
          isMet: (read.revision ?? 0) > view.lastRevision,
          seen: `${read.revision ?? 'none'} after ${view.lastRevision}`,
        },
        {
          what: 'the new cluster writes',
          isMet: written.outcome === 'ok',
          seen: written.outcome,
        },
      ],
    };
  } finally {
    await cluster.stop(false);
  }
}

const restoreFromBackup: GameDay = {
  name: 'restore-from-backup',
  title: 'everything is lost but a backup',
  workload: workloadNamed('bank'),
  onlyLocal: 'it throws a whole cluster away and makes another one',
  brief: {
    hypothesis:
      'A backup that was taken under load is one moment of the store, and a cluster comes out ' +
      'of it.',
    expected: [
      'taking the backup slows nobody down',
      'the new cluster holds every key as it was at the revision of the backup, and no later write',
      'its revision is far above the old one: no client can mistake it for the old cluster',
    ],
    watch: [
      'on call, Time of a write, p99: the same while the backup is taken',
      'the size and the revision that snapshot status tells',
    ],
    abort: ['snapshot status finds the file damaged', 'the restore refuses: read what it says'],
    writeDown: [
      'How old is your newest backup now, and how much would you have lost?',
      'How long did it take from the decision to the first write? Who knew the commands?',
      'Where are backups kept, and did anybody ever restore one of those?',
    ],
    runbook: 'runbooks/restore-from-backup.md',
  },
  steps: [
    lookAtCalm,
    {
      title: 'Take a backup',
      about: '`holdfast snapshot save` reads the state of one member, while clients work.',
      async act(stage) {
        const { fromMs } = await stage.inject(backup(stage));
        const [record] = await stage.heal();
        await stage.hold(3, 1);
        return {
          seen: `${record?.evidence ?? 'nothing'}, revision ${await backupRevision(stage)}`,
          checks: [keepsWriting(stage, since(stage, fromMs))],
        };
      },
    },
    {
      title: 'Let clients go on for a while',
      about: 'What they write now is not in the backup.',
      async act(stage) {
        const fromMs = stage.nowMs;
        await stage.hold(8, 2);
        return { seen: paceOf(stage, since(stage, fromMs)) };
      },
    },
    {
      title: 'Lose the cluster',
      about:
        'Clients end, their history is judged; then all members are stopped and their data is ' +
        'removed.',
      async act(stage) {
        const { view, verdict } = await stage.finish();
        await stage.scenario.cluster.stop(false);
        return {
          seen: `the history was ${verdict.verdict}; gone at revision ${view.lastRevision}`,
        };
      },
    },
    {
      title: 'Restore it on three new members',
      about:
        '`holdfast snapshot restore` for each of them, then they are started as a new cluster.',
      act: restoreAndCompare,
    },
  ],
};

/** All of them. */
export const storageDays: readonly GameDay[] = [diskFull, restoreFromBackup];
