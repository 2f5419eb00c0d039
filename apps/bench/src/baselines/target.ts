import type { NamedProcess } from '../processes/process-usage.ts';

/** Something that answers chat completions: the provider itself, or what stands before it. */
export interface Target extends AsyncDisposable {
  readonly name: string;
  /** Of the whole endpoint. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** A header that has a value of its own in each call. */
  readonly keyHeader?: string;
  /** API keys that it lets in: as many callers. */
  readonly bearers: readonly string[];
  /** Its processes, the provider's not among them. */
  readonly processes: () => readonly NamedProcess[];
}
