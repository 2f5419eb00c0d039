/** What several starts give, in their order. */
type Started<Starts extends readonly (() => Promise<unknown>)[]> = {
  readonly [Index in keyof Starts]: Awaited<ReturnType<Starts[Index]>>;
};

/**
 * Runs several starts at once and puts what they started on the stack as one entry, so that it also
 * ends at once. When one start fails the others are awaited and put there too, so that none is left
 * behind; then the failure is thrown.
 */
export async function startTogether<
  const Starts extends readonly (() => Promise<AsyncDisposable | undefined>)[],
>(stack: AsyncDisposableStack, starts: Starts): Promise<Started<Starts>> {
  const outcomes = await Promise.allSettled(starts.map((start) => start()));
  const started = outcomes.map((outcome) =>
    outcome.status === 'fulfilled' ? outcome.value : undefined,
  );
  stack.defer(async () => {
    const ends = await Promise.allSettled(started.map((part) => part?.[Symbol.asyncDispose]()));
    const failed = ends.find((end) => end.status === 'rejected');
    if (failed) throw failed.reason;
  });
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed) throw failed.reason;
  return started as Started<Starts>;
}
