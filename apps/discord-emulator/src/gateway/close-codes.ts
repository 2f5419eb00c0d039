/**
 * Why the gateway closes a connection
 * (discord.com/developers/docs/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes).
 */

/** A row of the table. */
export interface CloseCode {
  /** Sent as the close reason. */
  readonly reason: string;
  /** Whether Discord tells clients to reconnect. */
  readonly reconnect: boolean;
  /** What becomes of the connection's session. */
  readonly session: 'kept' | 'ended';
}

export const closeCodes = {
  4000: { reason: 'Unknown error.', reconnect: true, session: 'kept' },
  4001: { reason: 'Unknown opcode.', reconnect: true, session: 'kept' },
  4002: { reason: 'Error while decoding payload.', reconnect: true, session: 'kept' },
  4003: { reason: 'Not authenticated.', reconnect: true, session: 'ended' },
  4004: { reason: 'Authentication failed.', reconnect: false, session: 'ended' },
  4005: { reason: 'Already authenticated.', reconnect: true, session: 'ended' },
  4007: { reason: 'Invalid seq.', reconnect: true, session: 'ended' },
  4008: { reason: 'Rate limited.', reconnect: true, session: 'kept' },
  4009: { reason: 'Session timed out.', reconnect: true, session: 'ended' },
  4010: { reason: 'Invalid shard.', reconnect: false, session: 'ended' },
  4011: { reason: 'Sharding required.', reconnect: false, session: 'ended' },
  4012: { reason: 'Invalid API version.', reconnect: false, session: 'ended' },
  4013: { reason: 'Invalid intent(s).', reconnect: false, session: 'ended' },
  4014: { reason: 'Disallowed intent(s).', reconnect: false, session: 'ended' },
} as const satisfies Record<number, CloseCode>;

export type ServerCloseCode = keyof typeof closeCodes;

/** Codes by which a client ends its session at once; any other keeps it for a while. */
export function clientEndsSession(code: number): boolean {
  return code === 1000 || code === 1001;
}
