import { expect, test } from 'vitest';
import { ExitError } from '../../src/cli/exit.ts';

test('an ExitError carries what the person reads and the code of the process', () => {
  const error = new ExitError(2, 'holdfast: no');

  expect(error).toBeInstanceOf(Error);
  expect(error).toMatchObject({ name: 'ExitError', message: 'holdfast: no', exitCode: 2 });
});
