/**
 * A password that is typed, or comes on standard input: one line, which is not shown.
 */
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { ExitError } from '../exit.ts';

/**
 * Reads one line of standard input; asks for it at a terminal.
 *
 * @throws {ExitError} there is none, or it was given up.
 */
export async function readPassword(question: string): Promise<string> {
  const { stdin, stderr } = process;
  const isAsked = stdin.isTTY;
  if (isAsked) {
    stderr.write(question);
  }
  // What is typed goes nowhere.
  const output = new Writable({
    write: (_chunk, _encoding, callback) => {
      callback();
    },
  });
  const lines = createInterface({ input: stdin, output, terminal: isAsked });
  try {
    return await new Promise<string>((resolve, reject) => {
      lines.once('line', resolve);
      const none = (): void => {
        reject(new ExitError(2, 'holdfast: no password was given; nothing was changed'));
      };
      lines.once('SIGINT', none);
      lines.once('close', none);
    });
  } finally {
    lines.close();
    if (isAsked) {
      stderr.write('\n');
    }
  }
}
