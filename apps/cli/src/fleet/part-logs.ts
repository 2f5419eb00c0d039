import { closeSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** A log file is put aside as `.1` at this size, so that a part takes at most twice as much. */
const maxBytes = 10 * 1024 * 1024;

interface OpenLog {
  readonly path: string;
  file: number;
  bytes: number;
}

/**
 * One log file for each part of the local fleet, begun anew at every start. A disk that refuses a line
 * costs that line, never the fleet.
 */
export class PartLogs implements Disposable {
  readonly directory: string;
  readonly #open = new Map<string, OpenLog>();

  constructor(directory: string) {
    this.directory = directory;
    mkdirSync(directory, { recursive: true });
  }

  write(part: string, line: string): void {
    try {
      const log = this.#logOf(part);
      const bytes = Buffer.from(`${line}\n`);
      writeSync(log.file, bytes);
      log.bytes += bytes.byteLength;
      if (log.bytes >= maxBytes) this.#rotate(log);
    } catch {
      // The disk is full or gone: the parts themselves report that where it matters.
    }
  }

  [Symbol.dispose](): void {
    for (const { file } of this.#open.values()) closeSync(file);
    this.#open.clear();
  }

  #logOf(part: string): OpenLog {
    const known = this.#open.get(part);
    if (known) return known;
    const path = join(this.directory, `${part}.log`);
    const log = { path, file: openSync(path, 'w'), bytes: 0 };
    this.#open.set(part, log);
    return log;
  }

  #rotate(log: OpenLog): void {
    closeSync(log.file);
    renameSync(log.path, `${log.path}.1`);
    log.file = openSync(log.path, 'w');
    log.bytes = 0;
  }
}
