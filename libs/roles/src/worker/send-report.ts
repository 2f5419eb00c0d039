import type { Messaging } from '@starling/bus';
import {
  EncodeError,
  encode,
  type LoadReport,
  loadReportContract,
  subjects,
} from '@starling/contracts';
import type { RoleTelemetry } from '@starling/telemetry';

/** Tells every balancer how the worker stands. Never throws. */
export function sendReport(
  messaging: Messaging,
  report: LoadReport,
  telemetry: RoleTelemetry,
): void {
  try {
    messaging.publish(subjects.load(report.workerId), encode(loadReportContract, report));
  } catch (error) {
    // The bus is away, and so are the balancers; the next report tells them all that counts.
    if (error instanceof EncodeError) telemetry.log('worker').error('report.unsent', { error });
  }
}
