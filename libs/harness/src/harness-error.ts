/**
 * - `not_found`: no server binaries, and they could not be fetched; the message names the command that installs them.
 * - `port_in_use`: somebody else listens on the wanted port.
 * - `start_failed`: the process ended, or did not become ready in time.
 */
export type HarnessErrorCode = 'not_found' | 'port_in_use' | 'start_failed';

/** Any failure to bring something up, by a closed set of codes. */
export class HarnessError extends Error {
  override readonly name = 'HarnessError';
  readonly code: HarnessErrorCode;

  constructor(code: HarnessErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
