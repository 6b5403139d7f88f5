/**
 * Connections that can be given up while they are being made.
 *
 * grpc-js leaves a connection that nobody answers to the system, which asks again for two minutes,
 * ever more rarely: so long it keeps a process from ending, and so late a member is found again
 * that was cut off. Here the socket of each connection ends with a signal: names are resolved as
 * ever, and what is resolved carries the signal along, which Node's `net.connect` takes.
 *
 * What Node gets is a signal that does not keep those who hear it. Why: a socket that is opened
 * with one leaves a hearer there that holds the socket, for as long as there is the signal (Node 20
 * to 26), and while a member is away others are opened every second.
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
  const options = { [signalOption]: new ForgetfulSignal(signal) };
  return { target: `${scheme}:${address}`, options };
}

/** As much of an `AbortSignal` as sockets use; it fires with `signal`. */
class ForgetfulSignal {
  readonly #signal: AbortSignal;
  /** Each lives as long as its socket, which knows it in order to leave. */
  #hearers: WeakRef<() => void>[] = [];

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', () => {
      for (const hearer of this.#hearers) {
        hearer.deref()?.();
      }
    });
  }

  get aborted(): boolean {
    return this.#signal.aborted;
  }

  get reason(): unknown {
    return this.#signal.reason as unknown;
  }

  addEventListener(_type: 'abort', hearer: () => void): void {
    this.#forget(undefined);
    this.#hearers.push(new WeakRef(hearer));
  }

  removeEventListener(_type: 'abort', hearer: () => void): void {
    this.#forget(hearer);
  }

  #forget(hearer: (() => void) | undefined): void {
    this.#hearers = this.#hearers.filter((each) => ![undefined, hearer].includes(each.deref()));
  }
}

/** Resolves as `dns:` does, for addresses that are no names as well. */
class DialResolver implements experimental.Resolver {
  readonly #inner: experimental.Resolver;

  static getDefaultAuthority({ path }: Target): string {
    return path;
  }

  constructor(target: Target, listener: Listener, options: Options) {
    const signal = options[signalOption] as ForgetfulSignal;
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

function endingWith(signal: ForgetfulSignal, { addresses }: experimental.Endpoint) {
  return { addresses: addresses.map((address) => ({ ...address, signal })) };
}

experimental.registerResolver(scheme, DialResolver);
