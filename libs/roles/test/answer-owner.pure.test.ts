/** Where a worker's frames go: to the owner of the question, and only to one who reads them. */
import { createMemoryBus } from '@starling/bus';
import { SimulatedClock, seededRandom } from '@starling/clock';
import {
  decode,
  frameContract,
  ingressId,
  type JobOrigin,
  jobContract,
  ownerOfOrigin,
} from '@starling/contracts';
import { answerOf, FakeProvider } from '@starling/llm/testing';
import { activeContext, telemetryFor } from '@starling/telemetry';
import { describe, expect, it } from 'vitest';
import { answerJob } from '../src/worker/answer-job.ts';
import { FrameSender } from '../src/worker/frame-sender.ts';

const owner = ingressId.parse('i0');

/** Runs one job of an ingress; gives the subjects and texts of the frames that were sent. */
async function framesOf(stream: boolean) {
  const clock = new SimulatedClock();
  const { messaging } = createMemoryBus({ clock, random: seededRandom(1) });
  const frames: { readonly subject: string; readonly text: string }[] = [];
  await messaging.subscribe('frames.>', ({ subject, payload }) => {
    const decoded = decode(frameContract, payload);
    if (decoded.ok) frames.push({ subject, text: decoded.value.text });
  });
  const origin: JobOrigin = {
    kind: 'ingress',
    ingressId: owner,
    requestId: 'r1',
    caller: 'local',
    stream,
  };
  const job = jobContract.schema.parse({
    ...{ jobId: 'r1-1', lane: 'interactive', origin, maxCompletionTokens: 10 },
    messages: [{ role: 'user', content: 'Hi' }],
    acceptedAtMs: clock.nowMs(),
    deadlineAtMs: clock.nowMs() + 60_000,
  });
  const owned = { jobId: job.jobId, attempt: 1, ownerId: ownerOfOrigin(origin), headers: {} };
  const sender = new FrameSender({ messaging, clock, coalesceMs: 40 }, owned);
  const provider = new FakeProvider({ clock, script: () => answerOf('Hello') });
  const answer = await answerJob(
    { clock, provider, telemetry: telemetryFor('worker'), onFirstToken: () => {} },
    {
      ...{ job, attempt: 1, frames: sender },
      ...{ signal: new AbortController().signal, parent: activeContext() },
    },
  );
  await clock.advance(0);
  return { answer, frames };
}

describe('the frames of an ephemeral job', () => {
  it('go to the ingress that holds the connection', async () => {
    const { answer, frames } = await framesOf(true);
    expect(frames).toEqual([{ subject: 'frames.i0.r1-1.1', text: 'Hello' }]);
    expect(answer).toMatchObject({ outcome: { kind: 'done', text: 'Hello', frames: 1 } });
  });

  it('are not sent to a caller that waits for the whole answer', async () => {
    const { answer, frames } = await framesOf(false);
    expect(frames).toEqual([]);
    expect(answer).toMatchObject({ outcome: { kind: 'done', text: 'Hello', frames: 0 } });
  });
});
