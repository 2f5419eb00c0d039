import { describe, expect, it } from 'vitest';
import { planClusters, SessionLimitError } from '../src/cluster-plan.ts';

const info = { shards: 4, remaining: 1000, resetAfterMs: 90_000, maxConcurrency: 16 };

describe('planClusters', () => {
  it('cuts the shards that Discord recommends into clusters of neighbours', () => {
    expect(planClusters({ shards: 'auto', shardsPerCluster: 2 }, info)).toEqual({
      shardCount: 4,
      clusters: [
        { number: 0, shards: [0, 1] },
        { number: 1, shards: [2, 3] },
      ],
    });
  });

  it('gives the rest to a smaller cluster', () => {
    const { clusters } = planClusters({ shards: '7', shardsPerCluster: 4 }, info);
    expect(clusters.map(({ shards }) => shards.length)).toEqual([4, 3]);
  });

  it('does not begin what would spend the day’s last session starts', () => {
    const plan = () =>
      planClusters({ shards: 'auto', shardsPerCluster: 4 }, { ...info, remaining: 3 });
    expect(plan).toThrow(SessionLimitError);
    expect(plan).toThrow(
      'Discord allows 3 more session starts and 4 are needed; they are renewed in 2',
    );
  });
});
