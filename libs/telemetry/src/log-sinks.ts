import { createWriteStream } from 'node:fs';
import { counter } from './instruments.ts';
import type { LogLine } from './log-line.ts';
import { prettyLine } from './pretty.ts';

/** Where lines go. Must not throw and must not wait. */
export type LogSink = (line: LogLine) => void;

/** What a sink needs of `process.stderr`; pipes and terminals are written at once on Linux. */
export interface LogStream {
  write(text: string): unknown;
}

/** Bytes that may wait for the log file; beyond it lines are dropped and counted. */
const maxFileBacklogBytes = 4 * 1024 * 1024;

/** JSON, one line each. */
export function jsonSink(stream: LogStream): LogSink {
  return (line) => stream.write(`${JSON.stringify(line)}\n`);
}

/** Text for people. */
export function prettySink(stream: LogStream, options: { readonly color: boolean }): LogSink {
  return (line) => stream.write(`${prettyLine(line, options)}\n`);
}

/** Standard error, `auto` being for people on a terminal and for machines anywhere else. */
export function standardErrorSink(format: 'auto' | 'pretty' | 'json'): LogSink {
  const { stderr } = process;
  const pretty = format === 'pretty' || (format === 'auto' && stderr.isTTY);
  return pretty
    ? prettySink(stderr, { color: stderr.isTTY && stderr.hasColors() })
    : jsonSink(stderr);
}

const dropped = counter('starling.log.dropped');

/** A log file: JSONL, appended. Disposing it writes what waits. */
export interface LogFile extends AsyncDisposable {
  readonly sink: LogSink;
}

/**
 * Opens a log file. A file that cannot be opened or written is reported once to `onError`; the
 * process goes on without it.
 */
export function openLogFile(path: string, onError: (error: Error) => void): LogFile {
  const stream = createWriteStream(path, { flags: 'a', mode: 0o600 });
  let broken = false;
  stream.on('error', (error) => {
    if (!broken) onError(error);
    broken = true;
  });
  return {
    sink(line) {
      if (broken || stream.writableLength > maxFileBacklogBytes) dropped.add(1);
      else stream.write(`${JSON.stringify(line)}\n`);
    },
    async [Symbol.asyncDispose]() {
      if (broken) return;
      await new Promise<void>((resolve) => {
        stream.once('close', resolve);
        stream.end();
      });
    },
  };
}
