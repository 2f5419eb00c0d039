import { EncodeError, type Result } from '@starling/contracts';

/**
 * Does something with a result, and where its contract does not take it, with an honest failure in its
 * place: whoever waits for it is told, and what it holds comes free.
 * @throws what `send` throws, when the failure does not help either
 */
export async function withSendable<T>(
  result: Result,
  send: (result: Result) => Promise<T>,
): Promise<T> {
  try {
    return await send(result);
  } catch (error) {
    if (!(error instanceof EncodeError)) throw error;
    const outcome = { kind: 'failed', code: 'internal', partialText: '' } as const;
    return await send({ ...result, outcome });
  }
}
