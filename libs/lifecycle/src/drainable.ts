/**
 * A running part that ends in two steps: `drain` takes nothing new and finishes what it has;
 * disposing it releases what it holds. Both may be called twice, and during each other: the later
 * call joins the earlier one.
 */
export interface Drainable extends AsyncDisposable {
  /** Resolves when nothing is in flight, or as soon as the signal aborts (the drain's deadline). */
  drain(options: { readonly signal: AbortSignal }): Promise<void>;
}
