import type { Drainable } from './drainable.ts';

/** The two steps of an ending, each run at most once. */
export interface DrainableParts {
  /** Takes nothing new, resolves when nothing is in flight; should hurry once the signal aborts. */
  drain(options: { readonly signal: AbortSignal }): Promise<void> | void;
  /** Gives back what is held. */
  release(): Promise<void> | void;
}

/**
 * A {@link Drainable} that may be ended in any order and by anyone. A second drain joins the first
 * (each waiting no longer than its own signal), disposing during a drain waits for it and then
 * releases, disposing again joins, and draining after that resolves with the release. Work that
 * ignores the signal cannot hold up the release.
 */
export function createDrainable(parts: DrainableParts): Drainable {
  let drained: Promise<void> | undefined;
  let released: Promise<void> | undefined;

  const release = async () => {
    // Whoever drained has its error; releasing goes on.
    await drained?.catch(() => {});
    await parts.release();
  };
  return {
    drain({ signal }) {
      if (drained === undefined) {
        if (released !== undefined) return released;
        drained = untilAborted(signal, async () => parts.drain({ signal }));
        drained.catch(() => {});
        return drained;
      }
      const earlier = drained;
      return untilAborted(signal, () => earlier);
    },
    [Symbol.asyncDispose]() {
      released ??= release();
      return released;
    },
  };
}

/** Starts `work` and resolves with it, or as soon as the signal aborts. */
async function untilAborted(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  const { promise: aborted, resolve } = Promise.withResolvers<void>();
  const onAbort = () => resolve();
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) resolve();
  try {
    const working = work();
    working.catch(() => {});
    await Promise.race([working, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
