import type { Frame } from '@starling/contracts';

/**
 * The text of a stream, put together from its numbered frames. At a hole it stands still until the
 * missing frames came, for what follows would stand in the wrong place.
 */
export interface FrameAssembly {
  readonly attempt: number;
  /** The number that the next frame must have. */
  readonly next: number;
  readonly text: string;
  /** Frames behind the next one have come: it is to be asked for. */
  readonly hole: boolean;
  /** Too long to go on: the whole text comes with the end alone. */
  readonly broken: boolean;
}

export const noFrames: FrameAssembly = {
  attempt: 0,
  next: 0,
  text: '',
  hole: false,
  broken: false,
};

/** Longest text that is put together, in UTF-16 units; what is longer comes with the end alone. */
const maxTextLength = 200_000;

/** The text after a frame; the same value when the frame adds nothing: a repetition, an older attempt. */
export function addFrame(assembly: FrameAssembly, frame: Frame): FrameAssembly {
  const current =
    frame.attempt > assembly.attempt ? { ...noFrames, attempt: frame.attempt } : assembly;
  if (frame.attempt < current.attempt || frame.sequence < current.next || current.broken) {
    return current;
  }
  if (frame.sequence > current.next) return current.hole ? current : { ...current, hole: true };
  const text = current.text + frame.text;
  return text.length > maxTextLength
    ? { ...current, broken: true }
    : { ...current, next: frame.sequence + 1, text, hole: false };
}
