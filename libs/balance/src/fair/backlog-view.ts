/**
 * A lane's backlogs as they were a moment ago, sorted, so that the place of a job among thousands of
 * guilds is found by bisection instead of a walk over all of them.
 */
export class BacklogView {
  /** Waiting jobs of each guild, ascending. */
  readonly #backlogs: readonly number[];
  /** `sums[n]`: of the first n. */
  readonly #sums: readonly number[];
  /** Each guild's place in the order of turns. */
  readonly #turnOf: ReadonlyMap<string, number>;

  /** @param guilds in the order of their turns, with what waits of each */
  constructor(guilds: readonly (readonly [guild: string, waiting: number])[]) {
    this.#turnOf = new Map(guilds.map(([guild], turn) => [guild, turn]));
    this.#backlogs = guilds.map(([, waiting]) => waiting).sort((a, b) => a - b);
    const sums = [0];
    for (const backlog of this.#backlogs) sums.push((sums.at(-1) ?? 0) + backlog);
    this.#sums = sums;
  }

  /**
   * Jobs of the other guilds that start before the guild's job number `rank` (the first is 0): as many
   * turns as it has itself before it, and one more of those that go first. A guild that is new goes first.
   */
  ahead(guild: { readonly key: string; readonly waiting: number }, rank: number): number {
    const short = this.#countUpTo(rank);
    const long = this.#backlogs.length - short;
    const others = (this.#sums[short] ?? 0) + long * rank - Math.min(guild.waiting, rank);
    // Those that go first and have so many waiting: as large a share of all that do as of all guilds.
    const share = (this.#turnOf.get(guild.key) ?? 0) / Math.max(1, this.#backlogs.length);
    return Math.max(0, Math.round(others + long * share));
  }

  /** Backlogs of at most this size. */
  #countUpTo(size: number): number {
    let [from, to] = [0, this.#backlogs.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((this.#backlogs[middle] ?? 0) <= size) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}
