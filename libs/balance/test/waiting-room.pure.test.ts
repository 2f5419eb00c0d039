import { jobId } from '@starling/contracts';
import { describe, expect, it } from 'vitest';
import { WaitingRoom } from '../src/core/waiting-room.ts';
import { defaultFairQueueLimits, type QueuedJob } from '../src/fair/queued-job.ts';

let made = 0;
const job = (part: Partial<QueuedJob>): QueuedJob => {
  made += 1;
  return {
    jobId: jobId.parse(`job-${made}`),
    lane: 'interactive',
    guildKey: 'guild',
    userKey: `user-${made}`,
    tokenEstimate: 100,
    acceptedAtMs: made,
    deadlineAtMs: 60_000,
    ...part,
  };
};

describe('the bounds of a waiting room', () => {
  const room = (limits: { perUser?: number; perGuild?: number; perLane?: number }) =>
    new WaitingRoom({ ...defaultFairQueueLimits, ...limits });

  it('hold over the queues of all models: naming another one makes no share larger [B6]', () => {
    const ofUser = room({ perUser: 2 });
    const ofGuild = room({ perGuild: 2 });
    const ofLane = room({ perLane: 2 });
    for (const model of ['a', 'b']) {
      ofUser.add(job({ model, userKey: 'loud' }), 0);
      ofGuild.add(job({ model }), 0);
      ofLane.add(job({ model, guildKey: model }), 0);
    }
    expect(ofUser.refusal(job({ model: 'c', userKey: 'loud' }))).toBe('user_bound');
    expect(ofUser.refusal(job({ model: 'c', userKey: 'quiet' }))).toBeUndefined();
    expect(ofGuild.refusal(job({ model: 'c' }))).toBe('guild_bound');
    expect(ofGuild.refusal(job({ model: 'c', guildKey: 'quiet' }))).toBeUndefined();
    expect(ofLane.refusal(job({ model: 'c', guildKey: 'c' }))).toBe('lane_bound');
    expect(ofLane.refusal(job({ model: 'c', lane: 'batch' }))).toBeUndefined();
  });

  it('tell the job that starts first of those that fill them, of its own model where there is one', () => {
    const lane = room({ perLane: 2 });
    const [a, b] = [job({ model: 'a' }), job({ model: 'b' })];
    lane.add(a, 0);
    lane.add(b, 0);
    expect(lane.firstWithin('lane_bound', job({ model: 'b' }))).toBe(b.jobId);
    expect(lane.firstWithin('lane_bound', job({ model: 'c' }))).toBe(a.jobId);
  });
});
