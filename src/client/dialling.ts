/**
 * Connections that can be given up while they are being made.
 *
 * grpc-js leaves a connection that nobody answers to the system, which asks again for two minutes,
 * ever more rarely: so long it keeps a process from ending, and so late a member is found again
 * that was cut off. Here the socket of each connection ends with a signal: names are resolved as
 * ever, and what is resolved carries the signal along, which Node's `net.connect` takes.
 */
import { experimental } from '@grpc/grpc-js';

type ResolverArguments = Parameters<typeof experimental.createResolver>;
type Target = ResolverArguments[0];
type Listener = ResolverArguments[1];
type Options = ResolverArguments[2];

/** Before an address: connections to it end with a signal. */
const scheme = 'holdfast';
const signalOption = 'holdfast.dial_signal';

/** The target and the options of a channel to `address`, whose sockets end with `signal`. */
export function dialled(
  address: string,
  signal: AbortSignal,
): { readonly target: string; readonly options: Options } {
  return { target: `${scheme}:${address}`, options: { [signalOption]: signal } };
}

/** Resolves as `dns:` does, for addresses that are no names as well. */
class DialResolver implements experimental.Resolver {
  readonly #inner: experimental.Resolver;

  static getDefaultAuthority({ path }: Target): string {
    return path;
  }

  constructor(target: Target, listener: Listener, options: Options) {
    const signal = options[signalOption] as AbortSignal;
    const withSignal: Listener = (resolved, ...rest) =>
      listener(
        resolved.ok
          ? { ...resolved, value: resolved.value.map((each) => endingWith(signal, each)) }
          : resolved,
        ...rest,
      );
    this.#inner = experimental.createResolver({ ...target, scheme: 'dns' }, withSignal, options);
  }

  updateResolution(): void {
    this.#inner.updateResolution();
  }

  destroy(): void {
    this.#inner.destroy();
  }
}

function endingWith(signal: AbortSignal, { addresses }: experimental.Endpoint) {
  return { addresses: addresses.map((address) => ({ ...address, signal })) };
}

experimental.registerResolver(scheme, DialResolver);
