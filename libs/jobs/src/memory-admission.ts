import { createMemoryBuckets } from '@starling/buckets';
import type { Clock } from '@starling/clock';
import type { Admission, AdmissionBounds } from './admission.ts';
import { createAdmission } from './bucket-admission.ts';

/** Admission within one process: the embedded mode. */
export function createMemoryAdmission(
  options: AdmissionBounds & { readonly clock: Clock },
): Admission {
  return createAdmission({ ...options, buckets: createMemoryBuckets(options) });
}
