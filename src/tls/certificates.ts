/**
 * The certificates that a member uses now, read again while it runs.
 *
 * The files are read every ten seconds and when asked to; only what is sound as a whole takes the
 * place of what is in use, so a half-written or wrong change keeps the old one, and is told once.
 * New connections use the new one, in both directions; those that stand live on. Contents are
 * compared, not times: links that are switched over, as Kubernetes does it, are changes too.
 */
import { createSecureContext, type SecureContext } from 'node:tls';
import { KvError, type TimerHandle, type Timers } from '../base/index.ts';
import { readMaterial, type TlsMaterial } from './material.ts';
import { FileProblem } from './pem.ts';
import type { TlsSettings, TlsUse } from './settings.ts';

/** How often the files are read, milliseconds. */
const readPeriodMs = 10_000;

interface InUse {
  readonly use: TlsUse;
  readonly subject: string;
  /** When the first of what is in use ends, milliseconds since 1970. */
  readonly expiresMs: number;
}

/** What becomes of certificates, for log and metrics. */
export type CertificatesEvent =
  | ({ readonly type: 'certificates-loaded' } & InUse)
  | ({ readonly type: 'certificates-reloaded' } & InUse)
  /** What the files hold now cannot be used; told when the reason is another one. */
  | { readonly type: 'certificates-kept'; readonly use: TlsUse; readonly reason: string };

/** What the certificates need of the process around them. */
export interface CertificatesHost {
  readonly timers: Timers;
  /** Milliseconds since 1970. */
  readonly epochMs: () => number;
  readonly onEvent: (event: CertificatesEvent) => void;
  /** Hears of every attempt that found a change, or a problem. */
  readonly onReload: (use: TlsUse, result: 'ok' | 'failed') => void;
}

/** See the module comment. */
export class Certificates {
  readonly settings: TlsSettings;
  readonly #host: CertificatesHost;
  readonly #listeners = new Set<() => void>();
  #material: TlsMaterial;
  #context: SecureContext;
  #timer: TimerHandle | undefined;
  /** One reading at a time: the next one begins after it. */
  #reading: Promise<void> = Promise.resolve();
  #lastReason = '';

  private constructor(settings: TlsSettings, host: CertificatesHost, material: TlsMaterial) {
    this.settings = settings;
    this.#host = host;
    this.#material = material;
    this.#context = createSecureContext(material.options);
  }

  /**
   * Reads the certificates for the first time.
   *
   * @throws {KvError} CONFIG_INVALID — what is wrong, with setting, file and what to do.
   */
  static async open(settings: TlsSettings, host: CertificatesHost): Promise<Certificates> {
    try {
      const material = await readMaterial(settings, host.epochMs());
      const certificates = new Certificates(settings, host, material);
      certificates.#tell('certificates-loaded');
      return certificates;
    } catch (error) {
      if (error instanceof FileProblem) {
        throw new KvError('CONFIG_INVALID', { message: error.message, cause: error });
      }
      throw error;
    }
  }

  /** What is in use now. */
  get material(): TlsMaterial {
    return this.#material;
  }

  /** The same for a new connection. */
  get context(): SecureContext {
    return this.#context;
  }

  /** Calls back after each change; returns what ends that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Reads the files from now on. */
  watch(): void {
    this.#timer ??= this.#host.timers.every(readPeriodMs, () => {
      void this.reload();
    });
  }

  /** Reads the files now; never fails. */
  async reload(): Promise<void> {
    this.#reading = this.#reading.then(async () => this.#read());
    return this.#reading;
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#listeners.clear();
  }

  async #read(): Promise<void> {
    const { onReload, onEvent, epochMs } = this.#host;
    const { use } = this.settings;
    try {
      const material = await readMaterial(this.settings, epochMs());
      this.#lastReason = '';
      if (material.fingerprint === this.#material.fingerprint) {
        return;
      }
      this.#context = createSecureContext(material.options);
      this.#material = material;
    } catch (error) {
      onReload(use, 'failed');
      const reason = error instanceof Error ? error.message : String(error);
      if (reason !== this.#lastReason) {
        this.#lastReason = reason;
        onEvent({ type: 'certificates-kept', use, reason });
      }
      return;
    }
    onReload(use, 'ok');
    for (const listener of this.#listeners) {
      listener();
    }
    this.#tell('certificates-reloaded');
  }

  #tell(type: 'certificates-loaded' | 'certificates-reloaded'): void {
    const { subject, expiry } = this.#material;
    const ends = [expiry.certMs, expiry.caMs, expiry.crlMs].filter((end) => end !== undefined);
    const expiresMs = Math.min(...ends);
    this.#host.onEvent({ type, use: this.settings.use, subject, expiresMs });
  }
}
