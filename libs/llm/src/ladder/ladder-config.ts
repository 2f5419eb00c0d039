/** Providers and ladders as they are meant, with their keys: what a file or the settings come to. */
import { hash } from 'node:crypto';
import { hostname } from 'node:os';
import type { Price } from './rung.ts';

export type DialectName = 'openai' | 'ollama' | 'anthropic';

export interface ProviderKey {
  /** Of the variable or file that it stands in. */
  readonly name: string;
  readonly value: string;
}

export interface ProviderPlace {
  readonly name: string;
  readonly dialect: DialectName;
  readonly baseUrl: string;
  /** None: the provider wants no key. */
  readonly keys: readonly ProviderKey[];
}

export interface LadderStep {
  readonly provider: string;
  readonly model: string;
  readonly price?: Price | undefined;
}

/** Which model answers a simple question, and which one a complex one, where none is named. */
export interface ModelChoice {
  readonly simple: string;
  readonly complex: string;
}

export interface LadderConfig {
  readonly providers: readonly ProviderPlace[];
  readonly models: readonly { readonly name: string; readonly ladder: readonly LadderStep[] }[];
  /** The model that answers when none is asked for. */
  readonly defaultModel: string;
  /** Absent: the default model answers all of them. */
  readonly choice?: ModelChoice | undefined;
  /** Any other name goes to the only provider as it stands. */
  readonly takesAnyModel: boolean;
}

/**
 * What names a key in the whole fleet. A loopback address is every host's own server, and what one host learns
 * of its own says nothing about another's. A key that was rotated is another one, so a few digits of its hash
 * stand in its name; they do not lead back to it.
 */
export function keyIdOf(place: ProviderPlace, key: ProviderKey | undefined): string {
  // Not the whole address: a setting may have a password in it, and this is told and logged.
  const { host, hostname: name, pathname } = new URL(place.baseUrl);
  const isLocal = name === 'localhost' || name === '[::1]' || name.startsWith('127.');
  const at = `${place.name} ${isLocal ? `${hostname()} ` : ''}${host}${pathname}`;
  return key ? `${at} ${key.name} ${hash('sha256', key.value).slice(0, 8)}` : at;
}
