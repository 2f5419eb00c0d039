import type { Random } from '@starling/clock';
import type { ChatRequest } from '../chat-request.ts';
import type { Dialect, ReplyIdentity } from '../dialects/dialect.ts';
import { applyFault, omitsUsage } from '../faults/apply-fault.ts';
import type { Fault } from '../faults/fault.ts';
import { planAnswer } from '../plan-answer.ts';
import type { ModelProfile, Profile } from '../profile.ts';
import type { RequestEntry } from '../record/request-entry.ts';
import { bodySteps, type Step, streamSteps } from '../reply-steps.ts';

const jsonType = 'application/json';

/** Ollama's clients may add its usual tag to a name. */
const modelCalled = (name: string, { models }: Profile): ModelProfile | undefined =>
  models.find((model) => model.name === name || `${model.name}:latest` === name);

/** The steps that answer an understood request of an accepted key, with its fault if one struck. */
export function answerSteps(call: {
  readonly dialect: Dialect;
  readonly chatRequest: ChatRequest;
  readonly fault: Fault | undefined;
  readonly entry: RequestEntry;
  readonly profile: Profile;
  readonly random: Random;
  readonly nowMs: number;
}): Iterable<Step> {
  const { dialect, chatRequest, fault, entry, profile, random, nowMs } = call;
  const struck = {
    encoder: undefined,
    answerTokens: 0,
    errorBody: dialect.errorBody,
    limitHeaders: (limits: Parameters<Dialect['limitHeaders']>[0]) =>
      dialect.limitHeaders(limits, nowMs),
  };
  // These two are not billed and need no model, so a fault may stand in for one that is gone.
  if (fault?.kind === 'status' || (fault?.kind === 'reset' && fault.at === 'before')) {
    return applyFault([], fault, struck);
  }
  const refusal = (status: number, message: string, code: string) =>
    bodySteps({
      afterMs: 0,
      status,
      headers: { 'content-type': jsonType },
      body: dialect.errorBody({ status, message, code }),
      tokens: 0,
    });
  const model = modelCalled(chatRequest.model, profile);
  if (!model) {
    const known = profile.models.map(({ name }) => name).join(', ');
    const message = `model '${chatRequest.model}' not found; this emulator has ${known}`;
    return refusal(404, message, 'model_not_found');
  }
  if (chatRequest.promptTokens >= model.contextTokens) {
    const message = `This model's maximum context length is ${model.contextTokens} tokens; the messages have ${chatRequest.promptTokens}.`;
    return refusal(400, message, 'context_length_exceeded');
  }

  const plan = planAnswer(chatRequest, { model, timeScale: profile.timeScale }, random);
  entry.accepted(plan);
  const withUsage = !omitsUsage(fault);
  const reply: ReplyIdentity = {
    id: `${dialect.idPrefix}sim${entry.reading.id}`,
    createdAtMs: nowMs,
    model: chatRequest.model,
    promptTokens: withUsage ? plan.usage.promptTokens : undefined,
    reasoningField: model.reasoningStyle === 'reasoning' ? 'reasoning' : 'reasoning_content',
  };
  const requestId = { [dialect.requestIdHeader]: `req_sim${entry.reading.id}` };
  const answerTokens = plan.usage.completionTokens;
  if (!chatRequest.stream) {
    const steps = bodySteps({
      afterMs: plan.endAtMs,
      status: 200,
      headers: { 'content-type': jsonType, ...requestId },
      body: dialect.whole(reply, plan, withUsage ? plan.usage : undefined),
      tokens: answerTokens,
    });
    return fault ? applyFault(steps, fault, { ...struck, answerTokens }) : steps;
  }
  const encoder = dialect.startStream(reply);
  const steps = streamSteps(plan, encoder, {
    headers: {
      'content-type': dialect.streamType,
      'cache-control': 'no-cache',
      ...requestId,
    },
    withUsage: withUsage && chatRequest.includeUsage,
  });
  return fault ? applyFault(steps, fault, { ...struck, encoder, answerTokens }) : steps;
}
