import { type Exchange, exchangeContract } from '@starling/contracts';

/** An answered exchange; `changes` replaces fields of it. */
export function exchange(changes: Partial<Record<keyof Exchange, unknown>>): Exchange {
  return exchangeContract.schema.parse({
    jobId: '1200000000000000001',
    clusterId: 'c0',
    correlationId: '8f3c2a1b',
    origin: {
      kind: 'discord',
      clusterId: 'c0',
      channelId: '1200000000000000002',
      messageId: '1200000000000000001',
      userId: '1200000000000000003',
    },
    ending: {
      kind: 'answered',
      model: 'toy',
      usage: { promptTokens: 10, completionTokens: 20, estimated: false },
    },
    posts: 1,
    edits: 3,
    phases: { receive: 0.4, queue: 3, llm: 640 },
    firstTextMs: 300,
    totalMs: 812,
    services: ['bot', 'balancer', 'worker'],
    ...changes,
  });
}
