/**
 * Leads through a game day: says what comes, waits for the operator's word, does it, tells what was
 * seen, and in the end asks what is to be written down.
 *
 * Whatever happens (an abort, a step that fails) everything is healed, and the history is judged.
 */
import type { Check, GameDay, Step } from './gameday.ts';

/** Who leads the day. */
export interface Operator {
  say(text: string): void;
  /** Whether to go on. */
  confirms(question: string): Promise<boolean>;
  /** What the operator writes down; empty when nothing. */
  note(question: string): Promise<string>;
}

/** What the runner itself needs of a stage. */
export interface Healable {
  readonly nowMs: number;
  /** Ends whatever is on, and waits until every member serves. */
  healAll(): Promise<void>;
}

/** A step that was taken. */
export interface StepRecord {
  readonly title: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly seen: string;
  readonly checks: readonly Check[];
}

/** What became of a game day. */
export interface Story {
  readonly end: 'completed' | 'aborted' | 'failed';
  readonly steps: readonly StepRecord[];
  readonly notes: readonly { readonly question: string; readonly answer: string }[];
}

/** Takes the steps of a game day. */
export async function takeSteps<On extends Healable>(
  steps: readonly Step<On>[],
  stage: On,
  operator: Operator,
): Promise<Omit<Story, 'notes'>> {
  const taken: StepRecord[] = [];
  let end: Story['end'] = 'completed';
  for (const [i, step] of steps.entries()) {
    operator.say(`\nStep ${i + 1} of ${steps.length}: ${step.title}\n${step.about}`);
    if (!(await operator.confirms('Go on'))) {
      end = 'aborted';
      break;
    }
    const record = await take(step, stage);
    taken.push(record);
    operator.say(`  ${record.seen}`);
    for (const { what, isMet, seen } of record.checks) {
      operator.say(`  ${isMet ? 'as expected' : 'NOT AS EXPECTED'}: ${what} (${seen})`);
    }
    if (record.failure !== undefined) {
      end = 'failed';
      break;
    }
  }
  if (end !== 'completed') {
    operator.say(`\n${end}: everything is healed now`);
  }
  await stage.healAll();
  return { end, steps: taken };
}

/** Asks what is to be written down. */
export async function takeNotes({ brief }: GameDay, operator: Operator): Promise<Story['notes']> {
  const notes: { question: string; answer: string }[] = [];
  for (const question of brief.writeDown) {
    notes.push({ question, answer: await operator.note(question) });
  }
  return notes;
}

async function take<On extends Healable>(
  step: Step<On>,
  stage: On,
): Promise<StepRecord & { readonly failure?: unknown }> {
  const fromMs = stage.nowMs;
  try {
    const { seen, checks = [] } = await step.act(stage);
    return { title: step.title, fromMs, toMs: stage.nowMs, seen, checks };
  } catch (failure) {
    const seen = `it failed: ${String(failure)}`;
    return { title: step.title, fromMs, toMs: stage.nowMs, seen, checks: [], failure };
  }
}
