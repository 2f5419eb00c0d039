import type { NamedProcess } from '../processes/process-usage.ts';

/** Something that answers chat completions: the provider itself, or what stands before it. */
export interface Target extends AsyncDisposable {
  readonly name: string;
  /** Of the whole endpoint. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Its processes, the provider's not among them. */
  readonly processes: () => readonly NamedProcess[];
}
