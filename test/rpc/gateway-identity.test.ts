import { Metadata } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { nodeCryptography } from '../../src/cli/node-cryptography.ts';
import { GatewayIdentity } from '../../src/rpc/gateway-identity.ts';

function metadataWith(fields: Readonly<Record<string, string>>): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(fields)) {
    metadata.set(name, value);
  }
  return metadata;
}

test('a call by the gateway is its client’s, and nobody else can say so', () => {
  const identity = new GatewayIdentity(nodeCryptography);
  const said = identity.metadataOf({ remoteAddress: '::1', remotePort: 7 });
  const metadata = metadataWith(said);

  expect(identity.takeFrom(metadata)).toEqual({ remoteAddress: '::1', remotePort: 7 });
  expect(Object.keys(metadata.getMap())).toEqual([]);
  expect(new GatewayIdentity(nodeCryptography).takeFrom(metadataWith(said))).toBeUndefined();
  expect(identity.takeFrom(metadataWith({ 'holdfast-gateway': 'x 7 ::1' }))).toBeUndefined();
  expect(identity.takeFrom(new Metadata())).toBeUndefined();
});
