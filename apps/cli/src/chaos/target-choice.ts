import type { Random } from '@starling/clock';

/** Strikes on one target; a supervisor gives a process up that dies more often in a row. */
const maxStrikes = 5;

/** Chooses among targets: the one struck least often so far, drawn among equals. */
export class TargetChoice {
  readonly #random: Random;
  readonly #strikes = new Map<string, number>();

  constructor(random: Random) {
    this.#random = random;
  }

  /** One of the names, counted as struck; undefined when there is none, or each had its share. */
  choose(names: readonly string[]): string | undefined {
    const open = names.filter((name) => this.#count(name) < maxStrikes);
    const least = Math.min(...open.map((name) => this.#count(name)));
    const equals = open.filter((name) => this.#count(name) === least);
    const chosen = equals[this.#random.integer(Math.max(1, equals.length))];
    if (chosen !== undefined) this.#strikes.set(chosen, least + 1);
    return chosen;
  }

  #count(name: string): number {
    return this.#strikes.get(name) ?? 0;
  }
}
