import { field } from '../parse.ts';

/** Which process this is. */
export const instanceSection = {
  id: field.text('STARLING_INSTANCE_ID', {
    default: undefined,
    pattern: /^[A-Za-z0-9_-]{1,64}$/,
    accepts: '1 to 64 letters, digits, `_` and `-`',
    doc: 'Name of this process in the fleet, in traces and in load reports; no two may share one. Unset, it is drawn at each start.',
  }),
} as const;
