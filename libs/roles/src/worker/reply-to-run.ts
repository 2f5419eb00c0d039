import type { BusMessage } from '@starling/bus';
import { encode, type RunReply, runReplyContract } from '@starling/contracts';
import type { RoleTelemetry } from '@starling/telemetry';

/** Answers a balancer's run request; never throws. */
export function replyToRun(
  message: BusMessage,
  { callGone, kind }: { readonly kind: RunReply['kind']; readonly callGone?: true | undefined },
  telemetry: Pick<RoleTelemetry, 'log'>,
): void {
  try {
    message.respond(encode(runReplyContract, { kind, ...(callGone && { callGone }) }));
  } catch (error) {
    // The balancer's timeout, and then our load report, tell it what it needs to know.
    telemetry.log('worker').debug('run_reply.unsent', { error });
  }
}
