/**
 * Who stands behind a call that comes by the JSON gateway: its connection has no address of its
 * own, and what a client may use goes by its connection. So the gateway says in the call's metadata
 * which one it is, with a secret of this process, which nobody else can say.
 */
import type { Metadata } from '@grpc/grpc-js';
import type { Cryptography } from './cryptography.ts';

const header = 'holdfast-gateway';
const secretBytes = 16;

/** The two ends of a connection, as far as they tell clients apart. */
export interface ConnectionEnd {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
}

/** See the module comment. */
export class GatewayIdentity {
  readonly #secret: string;

  constructor(cryptography: Pick<Cryptography, 'randomBytes'>) {
    this.#secret = Buffer.from(cryptography.randomBytes(secretBytes)).toString('hex');
  }

  /** What the gateway says of a connection. */
  metadataOf({ remoteAddress = 'unknown', remotePort = 0 }: ConnectionEnd): Record<string, string> {
    return { [header]: `${this.#secret} ${remotePort} ${remoteAddress}` };
  }

  /** Whose call it is, if the gateway says so; takes that out of the metadata. */
  takeFrom(metadata: Metadata): ConnectionEnd | undefined {
    const [said] = metadata.get(header);
    if (said === undefined) {
      return undefined;
    }
    metadata.remove(header);
    const [secret, remotePort, remoteAddress] = String(said).split(' ');
    return secret === this.#secret ? { remoteAddress, remotePort: Number(remotePort) } : undefined;
  }
}
