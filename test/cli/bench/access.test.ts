import { expect, test } from 'vitest';
import { Access, plainAccess } from '../../../src/cli/bench/access.ts';
import { TestCa } from '../../harness/certificates.ts';

test('without files it is plain text, and nobody', () => {
  expect(plainAccess).toMatchObject({ pem: undefined, secureContext: undefined, token: undefined });
});

test('any files are TLS, none of them too: what Node trusts', async () => {
  const ca = await TestCa.create();
  const nothing = { ca: undefined, cert: undefined, key: undefined };

  expect(new Access({ ...nothing, ca: Buffer.from(ca.pem) }).secureContext).toBeDefined();
  expect(new Access(nothing).secureContext).toBeDefined();
});
