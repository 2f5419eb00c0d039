import { context } from '@opentelemetry/api';
import { correlationIdIn, messageIdsIn, roleIn } from './correlation.ts';
import { type Plain, type PlainRecord, plain } from './plain.ts';

/** How bad it is; `ok` is a success worth a line, as grave as `info`. */
export type LogLevel = 'debug' | 'info' | 'ok' | 'warn' | 'error';

/** What a caller adds to an event. Names are camelCase here and snake_case in the line. */
export interface LogDetail {
  readonly guildId?: string | undefined;
  readonly userId?: string | undefined;
  readonly messageId?: string | undefined;
  /** What went wrong; any thrown value. */
  readonly error?: unknown;
  /** From Discord's event to its ending, milliseconds. */
  readonly totalDurationMs?: number | undefined;
  /** Milliseconds by phase. */
  readonly phases?: object | undefined;
  readonly [name: string]: unknown;
}

/** One line of the log, with the keys that never change (features H2). */
export interface LogLine {
  /** ISO 8601, UTC, milliseconds. */
  readonly ts: string;
  readonly level: LogLevel;
  /** The role that wrote it. */
  readonly name: string;
  /** The part of the role. */
  readonly subsys: string;
  readonly guild_id: string | null;
  readonly user_id: string | null;
  readonly msg_id: string | null;
  readonly event: string;
  readonly detail: PlainRecord & { readonly corr_id: string | null };
}

/** A line from the event, its detail, and the context that is active. */
export function composeLine(from: {
  readonly nowMs: number;
  readonly level: LogLevel;
  readonly role: string | undefined;
  readonly defaultRole: string;
  readonly subsystem: string;
  readonly event: string;
  readonly detail: LogDetail;
}): LogLine {
  const active = context.active();
  const { guildId, userId, messageId, ...rest } = from.detail;
  const ids = messageIdsIn(active);
  return {
    ts: new Date(from.nowMs).toISOString(),
    level: from.level,
    name: from.role ?? roleIn(active) ?? from.defaultRole,
    subsys: from.subsystem,
    guild_id: guildId ?? ids.guildId ?? null,
    user_id: userId ?? ids.userId ?? null,
    msg_id: messageId ?? ids.messageId ?? null,
    event: from.event,
    detail: { corr_id: correlationIdIn(active) ?? null, ...asRecord(plain(rest)) },
  };
}

function asRecord(value: Plain): PlainRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as PlainRecord)
    : {};
}
