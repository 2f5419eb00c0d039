import type { Frame } from '@starling/contracts';

/**
 * The text of a stream, put together from its numbered frames. A hole ends it: what follows would
 * stand in the wrong place, and the result brings the whole text anyway.
 */
export interface FrameAssembly {
  readonly attempt: number;
  /** The number that the next frame must have. */
  readonly next: number;
  readonly text: string;
  readonly broken: boolean;
}

export const noFrames: FrameAssembly = { attempt: 0, next: 0, text: '', broken: false };

/** Longest text that is put together, in UTF-16 units; what is longer comes with the result alone. */
const maxTextLength = 200_000;

/** The text after a frame; the same value when the frame adds nothing: a repetition, an older attempt. */
export function addFrame(assembly: FrameAssembly, frame: Frame): FrameAssembly {
  const current =
    frame.attempt > assembly.attempt ? { ...noFrames, attempt: frame.attempt } : assembly;
  if (frame.attempt < current.attempt || frame.sequence < current.next || current.broken) {
    return current;
  }
  if (frame.sequence > current.next) return { ...current, broken: true };
  const text = current.text + frame.text;
  return text.length > maxTextLength
    ? { ...current, broken: true }
    : { ...current, next: frame.sequence + 1, text };
}
