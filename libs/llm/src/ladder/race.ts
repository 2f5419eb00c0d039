/**
 * Two calls for one answer (features C6): when the first text is late, the next rung is asked as well, and
 * whichever speaks first is read. The other one is closed at once, before it costs more.
 */
import type { Clock } from '@starling/clock';
import type { StreamPart } from '../provider.ts';
import type { ProviderFault } from '../provider-fault.ts';

/** One rung's answer: parts, and in the end the fault that it ended in before any text. */
export type Parts = AsyncGenerator<StreamPart, ProviderFault | undefined>;

/** @param signal closes the call */
export type Start = (signal: AbortSignal) => Parts;

interface Runner {
  readonly parts: Parts;
  readonly abort: AbortController;
  /** Came before its first text. */
  readonly held: StreamPart[];
  next: Promise<IteratorResult<StreamPart, ProviderFault | undefined>>;
}

type Event =
  | { readonly kind: 'late' }
  | { readonly kind: 'came'; readonly runner: Runner; readonly result: Awaited<Runner['next']> };

export interface RaceParts {
  readonly clock: Clock;
  readonly first: Start;
  /** The first text is late from then on. */
  readonly lateMs: number;
  /** The second call, if there may be one now. */
  readonly second: () => Start | undefined;
}

/** Passes on whoever speaks first. Returns the last fault when nobody does. */
export async function* race(of: RaceParts): Parts {
  const late = Promise.withResolvers<Event>();
  const timer = of.clock.schedule(of.lateMs, () => late.resolve({ kind: 'late' }));
  let waiting: Promise<Event> | undefined = late.promise;
  const runners = new Set<Runner>([runnerOf(of.first)]);
  let fault: ProviderFault | undefined;
  try {
    while (runners.size > 0) {
      const events = [...runners].map(
        async (runner): Promise<Event> => ({ kind: 'came', runner, result: await runner.next }),
      );
      const event = await Promise.race(waiting ? [...events, waiting] : events);
      if (event.kind === 'late') {
        waiting = undefined;
        const second = of.second();
        if (second) runners.add(runnerOf(second));
        continue;
      }
      const { result, runner } = event;
      if (result.done) {
        runners.delete(runner);
        fault = result.value;
        continue;
      }
      runner.held.push(result.value);
      if (result.value.kind === 'text') {
        runners.delete(runner);
        for (const other of runners) close(other);
        runners.clear();
        runners.add(runner);
        yield* runner.held;
        return yield* runner.parts;
      }
      runner.next = runner.parts.next();
    }
    return fault;
  } finally {
    timer[Symbol.dispose]();
    for (const runner of runners) close(runner);
  }
}

function runnerOf(start: Start): Runner {
  const abort = new AbortController();
  const parts = start(abort.signal);
  return { parts, abort, held: [], next: parts.next() };
}

/** Its socket closes now; what it still says nobody hears. */
function close({ abort, parts }: Runner): void {
  abort.abort();
  void parts.return(undefined);
}
