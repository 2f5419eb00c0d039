/** What a client may send, decoded; everything else is named by the close code it deserves. */
import { z } from 'zod';
import type { ServerCloseCode } from './close-codes.ts';
import { opcodes } from './opcodes.ts';

/** Longer texts in an IDENTIFY are not a bot's. */
const shortText = z.string().max(512);
const snowflake = z.string().regex(/^\d{17,20}$/);
const wholeNumber = z.int().min(0).max(Number.MAX_SAFE_INTEGER);

const identify = z.object({
  token: shortText,
  /** Any number here; which of them exist decides 4013. */
  intents: z.int(),
  properties: z.record(z.string(), z.unknown()),
  shard: z.tuple([z.int(), z.int()]).optional(),
  large_threshold: z.int().optional(),
  compress: z.boolean().optional(),
  presence: z.unknown().optional(),
});

const resume = z.object({ token: shortText, session_id: shortText, seq: z.int() });

const guildMembers = z.object({
  guild_id: z.union([snowflake, z.tuple([snowflake]).transform(([id]) => id)]),
  query: z.string().max(100).optional(),
  limit: wholeNumber.optional(),
  presences: z.boolean().optional(),
  user_ids: z.union([snowflake.transform((id) => [id]), z.array(snowflake).max(100)]).optional(),
  nonce: z.string().max(32).optional(),
});

export type Identify = z.output<typeof identify>;
export type Resume = z.output<typeof resume>;
export type GuildMembersRequest = z.output<typeof guildMembers>;

export type ClientFrame =
  | { readonly kind: 'heartbeat'; readonly seq: number | null }
  | { readonly kind: 'identify'; readonly identify: Identify }
  | { readonly kind: 'resume'; readonly resume: Resume }
  | { readonly kind: 'guild_members'; readonly request: GuildMembersRequest }
  /** Presence, voice state, soundboard: taken and not looked into. */
  | { readonly kind: 'accepted' }
  | { readonly kind: 'bad'; readonly code: ServerCloseCode; readonly problem: string };

const envelope = z.object({ op: z.int(), d: z.unknown().optional() });

const bad = (code: ServerCloseCode, problem: string): ClientFrame => ({
  kind: 'bad',
  code,
  problem,
});

/** Decoders by opcode; an opcode that is not here is 4001. */
const decoders = new Map<number, (d: unknown) => ClientFrame>([
  [
    opcodes.heartbeat,
    (d) => {
      const seq = wholeNumber.nullish().safeParse(d);
      return seq.success ? { kind: 'heartbeat', seq: seq.data ?? null } : bad(4002, 'heartbeat');
    },
  ],
  [
    opcodes.identify,
    (d) => {
      const data = identify.safeParse(d);
      return data.success ? { kind: 'identify', identify: data.data } : bad(4002, 'identify');
    },
  ],
  [
    opcodes.resume,
    (d) => {
      const data = resume.safeParse(d);
      return data.success ? { kind: 'resume', resume: data.data } : bad(4002, 'resume');
    },
  ],
  [
    opcodes.requestGuildMembers,
    (d) => {
      const data = guildMembers.safeParse(d);
      return data.success
        ? { kind: 'guild_members', request: data.data }
        : bad(4002, 'request guild members');
    },
  ],
  [opcodes.presenceUpdate, () => ({ kind: 'accepted' })],
  [opcodes.voiceStateUpdate, () => ({ kind: 'accepted' })],
  [opcodes.requestSoundboardSounds, () => ({ kind: 'accepted' })],
]);

/** Never throws, whatever a client sends. */
export function decodeClientFrame(
  data: Buffer,
  options: { readonly isBinary: boolean; readonly maxBytes: number },
): ClientFrame {
  if (data.byteLength > options.maxBytes) return bad(4002, 'larger than the allowed payload');
  let parsed: unknown;
  try {
    parsed = JSON.parse(data.toString('utf8'));
  } catch {
    return bad(4002, options.isBinary ? 'binary that is not JSON' : 'not JSON');
  }
  const frame = envelope.safeParse(parsed);
  if (!frame.success) return bad(4002, 'no numeric op');
  const decode = decoders.get(frame.data.op);
  return decode ? decode(frame.data.d) : bad(4001, `opcode ${frame.data.op}`);
}
