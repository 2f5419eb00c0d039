import { SimulatedClock, systemClock, systemRandom } from '@starling/clock';
import { botSection, parseConfig } from '@starling/config';
import { channelId } from '@starling/contracts';
import { faultSpec, startDiscordEmulator } from '@starling/discord-emulator/testing';
import { captureTelemetry } from '@starling/telemetry/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openDiscord } from '../../src/bot/index.ts';

const never = new AbortController().signal;

describe('the connections of a bot that ends', () => {
  let stack: AsyncDisposableStack;
  let emulator: Awaited<ReturnType<typeof startDiscordEmulator>>;
  beforeEach(async () => {
    stack = new AsyncDisposableStack();
    stack.use(captureTelemetry());
    emulator = stack.use(await startDiscordEmulator({ clock: systemClock, random: systemRandom }));
  });
  afterEach(() => stack.disposeAsync());

  const open = (clock: SimulatedClock, onFatal: (error: unknown) => void = () => {}) =>
    openDiscord({
      config: parseConfig(botSection, { DISCORD_API_URL: `${emulator.restUrl}/api` }),
      ...{ shards: [0, 1], shardCount: 2, sharers: 1, clock, onFatal },
    });

  /** Lets simulated time pass until it is over; real time does not matter. */
  const over = async (clock: SimulatedClock, ending: Promise<void>) => {
    let isOver = false;
    void ending.then(() => {
      isOver = true;
    });
    await vi.waitFor(async () => {
      await clock.advance(1_000);
      expect(isOver).toBe(true);
    });
  };

  it('are not waited for when a socket is dead', async () => {
    const clock = new SimulatedClock();
    const { gateway } = open(clock);
    await gateway.connect({ botToken: emulator.botToken, signal: never });
    emulator.faults.add(faultSpec.parse({ kind: 'half_open' }));
    await over(clock, gateway[Symbol.asyncDispose]());
  });

  it('are not waited for while Discord has not said READY', async () => {
    const clock = new SimulatedClock();
    emulator.faults.add(faultSpec.parse({ kind: 'slow_ready', delayMs: 60_000 }));
    const { gateway } = open(clock);
    const stop = new AbortController();
    const connecting = gateway.connect({ botToken: emulator.botToken, signal: stop.signal });
    await vi.waitFor(() => expect(emulator.record.query().counts).toMatchObject({ identifies: 2 }));
    stop.abort(new Error('told to end'));
    await expect(connecting).rejects.toThrow('told to end');
    await over(clock, gateway[Symbol.asyncDispose]());
  });

  it('end the process when Discord takes no call of theirs any more', async () => {
    const fatal: unknown[] = [];
    const { gateway, sender } = open(new SimulatedClock(), (error) => fatal.push(error));
    stack.use(gateway);
    const channel = channelId.parse('200000000000000000');
    await expect(sender.typing(channel)).rejects.toMatchObject({ fault: 'unauthorised' });
    expect(fatal).toMatchObject([{ fault: 'unauthorised' }]);
  });
});
