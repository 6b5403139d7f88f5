/**
 * What becomes of log lines that cannot be written. A member must not end because the disk of its
 * log is full: lines are lost then, and told by their number once there is room. Only when nobody
 * reads its log any more, since the pipe to its reader is broken, does it end.
 */
import type { Logger } from '../observability/index.ts';

/** Milliseconds until it is tried again to tell of lines that were lost. */
const retryMs = 5000;

/** Watches the stream that `logger` writes to; `onGone` is called when its reader has gone. */
export function watchLogOutput(
  output: NodeJS.WritableStream,
  logger: Pick<Logger, 'warn'>,
  onGone: (error: Error) => void,
): void {
  let lost = 0;
  let isTrying = false;
  let isDue = false;
  const tell = (reason: string): void => {
    isDue = false;
    isTrying = true;
    const lines = lost;
    logger.warn({ event: 'log-lines-lost', lines, reason });
    // A failed write is told before this.
    setImmediate(() => {
      isTrying = false;
      lost = isDue ? lost : lost - lines;
    });
  };
  output.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') {
      onGone(new Error('the log cannot be written: its reader has gone', { cause: error }));
      return;
    }
    // The line that tells of others is not one of them.
    lost += isTrying ? 0 : 1;
    if (!isDue) {
      isDue = true;
      setTimeout(tell, retryMs, error.message).unref();
    }
  });
}
