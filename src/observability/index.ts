/** Facade of observability: the logger and the metrics. */
export { createLogger, formatLogLine, type Logger, type LoggerOptions } from './logger.ts';
export { Metrics } from './metrics.ts';
