/** The window is counted in so many slots: its age is known to a tenth, and its size does not grow with the load. */
const slotCount = 10;

/** Counts calls and faults of the latest `windowMs`, in constant space. */
export class OutcomeWindow {
  readonly #slotMs: number;
  readonly #slots = Array.from({ length: slotCount }, () => ({ number: -1, calls: 0, faults: 0 }));

  constructor(windowMs: number) {
    this.#slotMs = windowMs / slotCount;
  }

  add(isFault: boolean, nowMs: number): void {
    const number = Math.floor(nowMs / this.#slotMs);
    const slot = this.#slots[number % slotCount];
    if (!slot) return;
    if (slot.number !== number) Object.assign(slot, { number, calls: 0, faults: 0 });
    slot.calls += 1;
    if (isFault) slot.faults += 1;
  }

  count(nowMs: number): { readonly calls: number; readonly faults: number } {
    const oldest = Math.floor(nowMs / this.#slotMs) - slotCount + 1;
    let calls = 0;
    let faults = 0;
    for (const slot of this.#slots) {
      if (slot.number < oldest) continue;
      calls += slot.calls;
      faults += slot.faults;
    }
    return { calls, faults };
  }

  clear(): void {
    for (const slot of this.#slots) slot.number = -1;
  }
}
