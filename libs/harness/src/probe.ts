import { connect } from 'node:net';
import { type Clock, deadlineAfter } from '@starling/clock';

/** A server that is up answers on loopback in a few milliseconds; one that is not is asked again. */
const probeTimeoutMs = 1_000;

/**
 * Sends `question` to a port on 127.0.0.1 and collects what comes until `enough` says so.
 * @returns undefined when nobody listens, the connection ends, or nothing serves in a second
 */
export async function askPort(options: {
  readonly port: number;
  readonly question: string;
  readonly enough: (answer: string) => boolean;
  readonly clock: Clock;
}): Promise<string | undefined> {
  using deadline = deadlineAfter(options.clock, probeTimeoutMs);
  return await new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port: options.port });
    let answer = '';
    const finish = (result: string | undefined) => {
      socket.destroy();
      resolve(result);
    };
    deadline.signal.addEventListener('abort', () => finish(undefined), { once: true });
    socket.on('error', () => finish(undefined));
    socket.on('close', () => finish(undefined));
    socket.on('connect', () => socket.write(options.question));
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('utf8');
      if (options.enough(answer)) finish(answer);
    });
  });
}
