/** A gateway on a free port with its world, faults and record, and shorthands to identify with. */
import { seededRandom, systemClock } from '@starling/clock';
import { createKnobs, type KnobsInput } from '../../src/core/knobs.ts';
import { intentBits } from '../../src/core/ports.ts';
import { createWorld } from '../../src/core/world.ts';
import type { WorldInput } from '../../src/core/world-spec.ts';
import { createFaultSchedule } from '../../src/faults/fault-schedule.ts';
import { type FaultInput, faultSpec } from '../../src/faults/fault-spec.ts';
import { startGateway } from '../../src/gateway/gateway.ts';
import { createRecord } from '../../src/record/record.ts';
import { connectRaw, type RawClient } from './raw-client.ts';

export const allIntents =
  intentBits.GUILDS |
  intentBits.GUILD_MEMBERS |
  intentBits.GUILD_MESSAGES |
  intentBits.DIRECT_MESSAGES |
  intentBits.MESSAGE_CONTENT;

export async function gatewayFixture(
  stack: AsyncDisposableStack,
  options: { readonly world?: WorldInput; readonly knobs?: KnobsInput } = {},
) {
  const clock = systemClock;
  const random = seededRandom(5);
  const knobs = createKnobs({ identifyIntervalMs: 0, ...options.knobs });
  const world = createWorld({
    clock,
    random,
    knobs,
    ...(options.world && { world: options.world }),
  });
  const record = createRecord({ clock, knobs });
  const faults = createFaultSchedule({ clock, random });
  const lost: Error[] = [];
  const gateway = stack.use(
    await startGateway({
      clock,
      random,
      world,
      knobs,
      faults,
      record,
      host: '127.0.0.1',
      port: 0,
      onLost: (error) => lost.push(error),
    }),
  );

  async function connect(url = gateway.url): Promise<RawClient> {
    const client = await connectRaw(url);
    stack.defer(() => client.terminate());
    return client;
  }
  async function identify(
    over: { shard?: readonly [number, number]; intents?: number; token?: string } = {},
  ): Promise<RawClient> {
    const client = await connect();
    await client.frame(({ op }) => op === 10);
    client.send(2, { token: world.botToken, intents: allIntents, properties: {}, ...over });
    return client;
  }
  async function ready(over: Parameters<typeof identify>[0] = {}) {
    const client = await identify(over);
    const { d } = await client.event('READY');
    const data = d as { session_id: string; resume_gateway_url: string; guilds: { id: string }[] };
    const guilds =
      ((over.intents ?? allIntents) & intentBits.GUILDS) === 0 ? 0 : data.guilds.length;
    await client.eventCount('GUILD_CREATE', guilds);
    return { client, ready: data };
  }
  async function resume(from: { session_id: string; resume_gateway_url: string }, seq: number) {
    const client = await connect(from.resume_gateway_url);
    client.send(6, { token: world.botToken, session_id: from.session_id, seq });
    return client;
  }
  /** A message of a person in the world's first guild, or in a direct message. */
  function say(content: string, over: { guildId?: string | null; mentions?: object[] } = {}) {
    const guildId = over.guildId === undefined ? [...world.guildIds()][0] : over.guildId;
    return gateway.dispatch({
      name: 'MESSAGE_CREATE',
      intents: guildId === null ? intentBits.DIRECT_MESSAGES : intentBits.GUILD_MESSAGES,
      ...(typeof guildId === 'string' && { guildId }),
      data: { content, author: { id: 'someone' }, mentions: over.mentions ?? [] },
    });
  }
  const fault = (input: FaultInput) => faults.add(faultSpec.parse(input));
  const rules = () => record.query().violations.map(({ rule }) => rule);

  return {
    clock,
    knobs,
    world,
    record,
    faults,
    gateway,
    lost,
    connect,
    identify,
    ready,
    resume,
    say,
    fault,
    rules,
  };
}

/** What messages a client has been given, in order. */
export function heard(client: RawClient): unknown[] {
  return client.frames
    .filter(({ t }) => t === 'MESSAGE_CREATE')
    .map(({ d }) => (typeof d === 'object' && d !== null ? d.content : undefined));
}
