import { log } from '@starling/telemetry';
import type { Admission } from './admission.ts';

const logger = log('admission');

/**
 * Admission that outlives its store. While the shared one fails, this process bounds its own share
 * with `local` (same bounds, so N processes admit up to N times as much: stated, and alarmed by one
 * log line when it begins and one when it ends). Never silently open, never closed to everyone.
 */
export function withFallback(parts: {
  readonly shared: Admission;
  readonly local: Admission;
}): Admission {
  const { local, shared } = parts;
  let degraded = false;

  const note = (failed: boolean, error?: unknown) => {
    if (failed === degraded) return;
    degraded = failed;
    if (failed) logger.warn('admission.degraded', { error });
    else logger.ok('admission.recovered');
  };

  return {
    async admit(owner, options) {
      try {
        const decision = await shared.admit(owner, options);
        note(false);
        return decision;
      } catch (error) {
        note(true, error);
        return local.admit(owner, options);
      }
    },
    async release(owner) {
      await local.release(owner);
      try {
        await shared.release(owner);
      } catch (error) {
        // The hold expires by itself.
        note(true, error);
      }
    },
  };
}
