/**
 * Carries out the stories in `testdata`; each says at its top what it shows. Output is
 * `describe.ts` text only. `cluster` takes lines `id term=T vote=V log=T,T,...` of what nodes have
 * on their disks.
 */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describeEntries, describeProgress, describeStatus } from '../../src/raft/describe.ts';
import type { Configuration } from '../../src/raft/index.ts';
import { type StoryCommand, type StoryRunner, runStories } from '../harness/datadriven.ts';
import { type NodeStart, RaftNetwork } from './network.ts';
import { bytesOf } from './subject.ts';

/** Reads a line of `cluster`; they come in the order of ids. */
function startOf(line: string): NodeStart {
  const field = (name: string): number[] => {
    const text = new RegExp(`\\b${name}=([\\d,]+)`).exec(line)?.[1] ?? '';
    return text === '' ? [] : text.split(',').map(Number);
  };
  const [currentTerm = 0] = field('term');
  const [votedFor = 0] = field('vote');
  return { terms: field('log'), hardState: { currentTerm, votedFor } };
}

function idsOf(text = ''): readonly number[] {
  return text === '' ? [] : text.split(',').map(Number);
}

function describeMembers({ index, confState }: Configuration): string {
  const { voters, votersOutgoing, learners, learnersNext } = confState;
  const lists = { voters, votersOutgoing, learners, learnersNext };
  const parts = Object.entries(lists).filter(([, ids]) => ids.length > 0);
  return [`at=${index}`, ...parts.map(([name, ids]) => `${name}=${ids.join()}`)].join(' ');
}

function createRunner(): StoryRunner {
  let network = new RaftNetwork(3);
  /** Nodes that are cut off from all others. */
  const cut = new Set<number>();

  const settle = (): void => {
    network.settle(({ from, to }) => cut.has(from) || cut.has(to));
  };
  /** The first message on its way between two nodes, taken out. */
  const take = (link: string): (typeof network.messages)[number] | undefined => {
    const at = network.messages.findIndex(({ from, to }) => `${from}->${to}` === link);
    return at < 0 ? undefined : network.messages.splice(at, 1)[0];
  };
  /** Carries out one command; returns text beside what the nodes hand out. */
  const act = ({ name, words, options, input, place }: StoryCommand): readonly string[] => {
    const [word = ''] = words;
    const id = Number(word);
    switch (name) {
      case 'cluster':
        network = new RaftNetwork(
          id,
          {
            preVote: options.get('prevote') !== 'off',
            checkQuorum: options.get('checkquorum') !== 'off',
            inflightMessagesMax: Number(options.get('window') ?? 256),
            strictReconfigCheck: options.get('strict') !== 'off',
          },
          1,
          input.map(startOf),
          Number(options.get('spares') ?? 0),
        );
        network.trace = [];
        cut.clear();
        return [];
      case 'campaign':
        network.raft(id).campaign();
        network.collect(id);
        return [];
      case 'tick':
        for (let i = 0; i < Number(options.get('n') ?? 1); i++) {
          network.tick(id);
        }
        return [];
      case 'propose':
        network.raft(id).propose(words.slice(1).map(bytesOf), 1);
        network.collect(id);
        return [];
      case 'change': {
        const result = network.change(
          id,
          idsOf(options.get('voters')),
          idsOf(options.get('learners')),
        );
        return result.kind === 'dropped' ? [`refused: ${result.reason}`] : [];
      }
      case 'compact':
        network.compact(id, Number(words[1]));
        return [];
      case 'fetch':
        network.fetch(id);
        return [];
      case 'offer':
        network.offer(id);
        return [];
      case 'members':
        return network.nodes.map(
          (node) => `${node.id} ${describeMembers(node.raft.configuration)}`,
        );
      case 'read':
        network.raft(id).readIndex(Number(words[1]));
        network.collect(id);
        return [];
      case 'transfer':
        network.raft(id).transferLeader(Number(words[1]));
        network.collect(id);
        return [];
      case 'persist':
        for (const each of words) {
          network.persist(Number(each));
        }
        return [];
      case 'deliver':
        for (const link of words) {
          const message = take(link);
          if (message === undefined) {
            throw new Error(`${place}: nothing is on its way ${link}`);
          }
          network.deliver(message);
        }
        return [];
      case 'drop':
        for (const link of words) {
          while (take(link) !== undefined) {
            // All messages of the link go.
          }
        }
        return [];
      case 'stabilize':
        settle();
        return [];
      case 'partition':
        cut.add(id);
        return [];
      case 'heal':
        cut.clear();
        return [];
      case 'crash':
        network.crash(id);
        return [];
      case 'restart':
        network.restart(id);
        return [];
      case 'state':
        return network.nodes.map(({ raft }) => describeStatus(raft.status()));
      case 'log':
        return network.nodes.map(({ id: each, entries }) => `${each} ${describeEntries(entries)}`);
      case 'progress':
        return describeProgress(network.raft(id).status());
      default:
        throw new Error(`${place}: there is no command '${name}'`);
    }
  };

  return (command) => {
    const printed = act(command);
    const traced = network.trace?.splice(0) ?? [];
    return command.options.get('quiet') === 'yes' ? printed : [...traced, ...printed];
  };
}

runStories(join(dirname(fileURLToPath(import.meta.url)), 'testdata'), createRunner);
