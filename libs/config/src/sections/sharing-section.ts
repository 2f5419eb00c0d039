import { field } from '../parse.ts';

/** Which questions are answered by one call of the provider. */
export const sharingSection = {
  shareCalls: field.flag('STARLING_SHARE_CALLS', {
    default: true,
    doc: 'Whether people of one guild who ask the same within moments share one call of the provider, each with a stream of their own. Off, each question costs a call, and every question in a guild carries the name of who asks.',
  }),
  callKeptMs: field.integer('STARLING_CALL_KEPT_MS', {
    default: 5_000,
    min: 0,
    max: 60_000,
    unit: 'milliseconds',
    doc: 'For how long after its end an answer still serves those who ask the same. Longer saves more calls and gives people an older answer; 0 shares only what is being answered.',
  }),
} as const;
