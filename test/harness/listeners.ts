/** Plain-text listeners for tests, from `host:port`. */
import { Listener, type ListenPurpose } from '../../src/tls/index.ts';
import { VirtualLoop } from './virtual-loop.ts';

/** One listener for each address. */
export function plainListeners(
  purpose: ListenPurpose,
  addresses: readonly string[],
): readonly Listener[] {
  return addresses.map((address) => {
    const colon = address.lastIndexOf(':');
    return new Listener({
      purpose,
      host: address.slice(0, colon),
      port: Number(address.slice(colon + 1)),
      timers: new VirtualLoop(),
    });
  });
}
