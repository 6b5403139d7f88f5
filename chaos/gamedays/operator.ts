/** Operators: a person at a terminal, and one that always says yes. */
import { createInterface, type Interface } from 'node:readline/promises';
import type { Operator } from './runner.ts';

/** Goes through everything without asking, and writes nothing down. */
export function yesOperator(say: (text: string) => void): Operator {
  return {
    say,
    confirms: async () => Promise.resolve(true),
    note: async () => Promise.resolve(''),
  };
}

/** A person at a terminal; an end of the input is a no. */
export class TerminalOperator implements Operator {
  readonly #terminal: Interface;
  readonly #ended: Promise<string>;

  constructor(input: NodeJS.ReadableStream, output: NodeJS.WritableStream) {
    this.#terminal = createInterface({ input, output });
    this.#ended = new Promise((resolve) => {
      this.#terminal.once('close', () => {
        resolve('q');
      });
    });
  }

  say(text: string): void {
    this.#terminal.write('');
    console.log(text);
  }

  async confirms(question: string): Promise<boolean> {
    const answer = await this.#ask(`${question}? Enter to do it, q to end the game day: `);
    return !answer.trim().toLowerCase().startsWith('q');
  }

  async note(question: string): Promise<string> {
    const answer = await this.#ask(`${question} (Enter leaves it open)\n> `);
    return answer === 'q' ? '' : answer.trim();
  }

  close(): void {
    this.#terminal.close();
  }

  async #ask(question: string): Promise<string> {
    return Promise.race([this.#terminal.question(question), this.#ended]);
  }
}
