import { type Random, seededRandom } from '@starling/clock';
import type { Fault, FaultRule, Faults } from './fault.ts';

/** What a rule is matched against. */
export interface FaultTarget {
  readonly model: string | undefined;
  readonly keyLabel: string;
  readonly path: string;
  /** Whether the path answers chats; rules without a path of their own strike only those. */
  readonly chat: boolean;
}

/** A rule with what it has done so far. */
export type FaultRuleReading = FaultRule & { readonly matched: number; readonly struck: number };

/** The standing rules and their counts. Rules of one list share one stream of random numbers, in order of arrival. */
export class FaultBook {
  #rules: { readonly rule: FaultRule; matched: number; struck: number }[] = [];
  #seed: number | undefined;
  #random: Random;
  readonly #unseeded: Random;

  constructor(faults: Faults, random: Random) {
    this.#unseeded = random;
    this.#random = random;
    this.replace(faults);
  }

  /** Drops every rule and count and starts with these. */
  replace(faults: Faults): void {
    this.#rules = faults.rules.map((rule) => ({ rule, matched: 0, struck: 0 }));
    this.#seed = faults.seed;
    this.#random = faults.seed === undefined ? this.#unseeded : seededRandom(faults.seed);
  }

  /** The fault that strikes this request, if any. */
  strike(target: FaultTarget): Fault | undefined {
    for (const entry of this.#rules) {
      const { match, probability, next, fault } = entry.rule;
      if (next !== undefined && entry.struck >= next) continue;
      if (match.path === undefined ? !target.chat : match.path !== target.path) continue;
      if (match.model !== undefined && match.model !== target.model) continue;
      if (match.key !== undefined && match.key !== target.keyLabel) continue;
      entry.matched++;
      if (probability < 1 && this.#random.next() >= probability) continue;
      entry.struck++;
      return Array.isArray(fault) ? fault[this.#random.integer(fault.length)] : fault;
    }
    return undefined;
  }

  /** The rules as they stand, for `GET /control/faults`. */
  read(): { readonly seed?: number; readonly rules: readonly FaultRuleReading[] } {
    const rules = this.#rules.map(({ rule, matched, struck }) => ({ ...rule, matched, struck }));
    return this.#seed === undefined ? { rules } : { seed: this.#seed, rules };
  }
}
