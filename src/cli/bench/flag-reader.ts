/**
 * Reads the values of the load generator's flags, and collects what is wrong with them: who runs it
 * is told of all mistakes at once, each by its flag, what it must be and what it is.
 *
 * A value that is wrong reads as one that is right, so that the rest can be read; nothing may be
 * done with it before `throwIfAnyWrong`.
 */
import { ExitError } from '../exit.ts';
import type { Endpoint } from './connection.ts';

const durationMaxMs = 24 * 3600 * 1000;

/** See the module comment. */
export class FlagReader {
  readonly #problems: string[] = [];

  check(isRight: boolean, problem: string): void {
    if (!isRight) {
      this.#problems.push(problem);
    }
  }

  integer(flag: string, text: string, min: number, max: number): number {
    const value = Number(text);
    const isRight = /^\d+$/.test(text) && value >= min && value <= max;
    this.check(isRight, `${flag} must be a whole number from ${min} to ${max}, not "${text}"`);
    return isRight ? value : min;
  }

  optionalInteger(
    flag: string,
    text: string | undefined,
    min: number,
    max: number,
  ): number | undefined {
    return text === undefined ? undefined : this.integer(flag, text, min, max);
  }

  durationMs(flag: string, text: string, minMs: number): number {
    const match = /^(?<count>\d+(?:\.\d+)?)(?<unit>ms|s|m|h)$/.exec(text);
    const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
    const unit = match?.groups?.['unit'] as keyof typeof unitMs | undefined;
    const durationMs =
      unit === undefined ? Number.NaN : Number(match?.groups?.['count']) * unitMs[unit];
    const isRight = durationMs >= minMs && durationMs <= durationMaxMs;
    this.check(isRight, `${flag} must be a time as 500ms, 10s or 2m, at most 24h, not "${text}"`);
    return isRight ? durationMs : minMs;
  }

  /** Reads `host:port,…`, with or without `http://` or `https://`. */
  endpoints(flag: string, text: string): readonly Endpoint[] {
    return text.split(',').map((each) => this.#endpoint(flag, each.trim()));
  }

  /** Whether the endpoints of a list are to be reached by TLS, by what they begin with. */
  scheme(flag: string, text: string): 'http' | 'https' | undefined {
    const schemes = new Set(
      text.split(',').map((each) => /^(?<scheme>https?):/.exec(each.trim())?.groups?.['scheme']),
    );
    this.check(
      !(schemes.has('http') && schemes.has('https')),
      `${flag}: the load generator reaches all endpoints by TLS, or none`,
    );
    return schemes.has('https') ? 'https' : schemes.has('http') ? 'http' : undefined;
  }

  /** @throws {ExitError} 2 — with every mistake on a line of its own */
  throwIfAnyWrong(): void {
    if (this.#problems.length > 0) {
      const lines = this.#problems.map((problem) => `  ${problem}`);
      throw new ExitError(2, ['holdfast bench:', ...lines, '(see --help)'].join('\n'));
    }
  }

  #endpoint(flag: string, text: string): Endpoint {
    const match = /^(?:https?:\/\/)?(?<host>\[[0-9a-fA-F:]+\]|[\w.-]+):(?<port>\d{1,5})\/?$/.exec(
      text,
    );
    const port = Number(match?.groups?.['port']);
    this.check(
      match !== null && port >= 1 && port <= 65_535,
      `${flag}: "${text}" is not host:port, as in 127.0.0.1:2379`,
    );
    const host = match?.groups?.['host'] ?? '';
    return { host: host.replace(/^\[|\]$/g, ''), port };
  }
}
