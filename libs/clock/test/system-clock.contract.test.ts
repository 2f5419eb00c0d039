import { describe, expect, it } from 'vitest';
import { systemClock } from '../src/index.ts';

describe('systemClock', () => {
  it('fires a timer after its delay, and not before', async () => {
    const startMs = systemClock.monotonicMs();
    await systemClock.sleep(20);
    // Node may fire up to a millisecond early by its own rounding.
    expect(systemClock.monotonicMs() - startMs).toBeGreaterThanOrEqual(19);
  });

  it('takes a delay longer than Node can, without firing at once', async () => {
    let fired = false;
    using _timer = systemClock.schedule(Number.MAX_SAFE_INTEGER, () => {
      fired = true;
    });
    await systemClock.sleep(5);
    expect(fired).toBe(false);
  });

  it('ends a sleep when its signal aborts', async () => {
    const controller = new AbortController();
    const slept = systemClock.sleep(600_000, { signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(slept).rejects.toThrow('enough');
  });
});
