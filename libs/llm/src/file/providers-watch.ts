/**
 * Keeps up with a file of providers: read at the start, and again whenever its text or that of a key's file
 * has changed. It is looked at rather than watched: a mounted secret changes by links that no watch follows.
 * What does not read leaves what stood before as it is.
 */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Clock } from '@starling/clock';
import { ConfigError, type Environment, providerSection } from '@starling/config';
import { log } from '@starling/telemetry';
import type { LadderConfig } from '../ladder/ladder-config.ts';
import { parseProviders } from './parse-providers.ts';

/** No file of providers is larger. */
const maxFileLength = 1024 * 1024;

export interface ProvidersWatchParts {
  readonly path: string;
  readonly environment: Environment;
  readonly clock: Clock;
  readonly everyMs: number;
}

/** See the module's header. */
export class ProvidersWatch implements Disposable {
  readonly #parts: ProvidersWatchParts;
  /** All that was read the last time, whatever came of it. */
  #seen = '';
  #timer: Disposable | undefined;
  #closed = false;

  constructor(parts: ProvidersWatchParts) {
    this.#parts = parts;
  }

  /** @throws {ConfigError} when it cannot be read or says something wrong */
  read(): LadderConfig {
    const { environment, path } = this.#parts;
    const read: string[] = [];
    try {
      const text = textOf(path);
      read.push(text);
      return parseProviders(text, path, {
        environment,
        readFile: (name) => {
          const key = textOf(resolve(dirname(path), name));
          read.push(key);
          return key;
        },
      });
    } catch (error) {
      if (error instanceof ConfigError) throw error;
      const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
      read.push(code);
      const problem = `cannot be read (${code}); name a file that the workers may read, or leave it out`;
      const { variable } = providerSection.providersFile;
      throw new ConfigError([{ variable, value: path, problem }]);
    } finally {
      this.#seen = JSON.stringify(read);
    }
  }

  /** Looks again and again. @param onChange may throw {@link ConfigError} to refuse what is new */
  start(onChange: (config: LadderConfig) => void): void {
    if (this.#closed) return;
    const { clock, everyMs } = this.#parts;
    this.#timer = clock.schedule(everyMs, () => {
      this.#look(onChange);
      this.start(onChange);
    });
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#timer?.[Symbol.dispose]();
  }

  #look(onChange: (config: LadderConfig) => void): void {
    const before = this.#seen;
    const { path } = this.#parts;
    try {
      const config = this.read();
      if (this.#seen === before) return;
      onChange(config);
      const counts = { providers: config.providers.length, models: config.models.length };
      log('llm').info('providers.changed', { path, ...counts });
    } catch (error) {
      // One line a change: what was wrong a moment ago is known.
      if (this.#seen === before) return;
      log('llm').error('providers.refused', { path, kept: 'what stood before', error });
    }
  }
}

function textOf(path: string): string {
  const text = readFileSync(path, 'utf8');
  if (text.length > maxFileLength) throw Object.assign(new Error('too long'), { code: 'EFBIG' });
  return text;
}
