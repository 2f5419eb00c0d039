import { z } from 'zod';

/** A JSONL line as readers of the log may rely on it (features H2); `detail` may hold more. */
export const logLineSchema = z.strictObject({
  ts: z.iso.datetime({ precision: 3 }),
  level: z.enum(['debug', 'info', 'ok', 'warn', 'error']),
  name: z.string().min(1),
  subsys: z.string().min(1),
  guild_id: z.string().nullable(),
  user_id: z.string().nullable(),
  msg_id: z.string().nullable(),
  event: z.string().min(1),
  detail: z.looseObject({
    corr_id: z
      .string()
      .regex(/^[0-9a-f]{8}$/)
      .nullable(),
    total_duration_ms: z.number().nonnegative().optional(),
    phases: z.record(z.string(), z.number().nonnegative()).optional(),
  }),
});
