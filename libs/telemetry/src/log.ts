import { type Clock, systemClock } from '@starling/clock';
import { composeLine, type LogDetail, type LogLevel } from './log-line.ts';
import { type LogSink, standardErrorSink } from './log-sinks.ts';

/** Writes events of one part of a role. An event's name is lower case words with dots or underscores. */
export interface Logger {
  debug(event: string, detail?: LogDetail): void;
  info(event: string, detail?: LogDetail): void;
  /** A success worth a line. */
  ok(event: string, detail?: LogDetail): void;
  warn(event: string, detail?: LogDetail): void;
  error(event: string, detail?: LogDetail): void;
}

const severity: Record<LogLevel, number> = { debug: 0, info: 1, ok: 1, warn: 2, error: 3 };

/** Where and what the process logs. */
export interface LogOutput {
  readonly level: LogLevel;
  readonly clock: Clock;
  /** Name of lines written outside of any role's scope. */
  readonly defaultRole: string;
  readonly sinks: readonly LogSink[];
}

/** Until telemetry starts, and after it ended, warnings and errors still reach standard error. */
const fallback: LogOutput = {
  level: 'warn',
  clock: systemClock,
  defaultRole: 'starling',
  sinks: [standardErrorSink('auto')],
};

let output = fallback;

/** Sends the process's log elsewhere until the result is disposed. */
export function useLogOutput(next: LogOutput): Disposable {
  const previous = output;
  output = next;
  return {
    [Symbol.dispose]() {
      if (output === next) output = previous;
    },
  };
}

/**
 * A logger for one part, for example `gateway`. Correlation id and the ids of guild, user and message
 * come from the active context; `detail` may set the ids itself.
 * @param role whose part it is; the active context's role unless given
 */
export function log(subsystem: string, role?: string): Logger {
  const at =
    (level: LogLevel) =>
    (event: string, detail: LogDetail = {}) => {
      const { sinks, clock, defaultRole, level: least } = output;
      if (severity[level] < severity[least]) return;
      const nowMs = clock.nowMs();
      const line = composeLine({ nowMs, level, role, defaultRole, subsystem, event, detail });
      for (const sink of sinks) sink(line);
    };
  return {
    debug: at('debug'),
    info: at('info'),
    ok: at('ok'),
    warn: at('warn'),
    error: at('error'),
  };
}
