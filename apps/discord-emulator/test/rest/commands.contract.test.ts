import { SimulatedClock } from '@starling/clock';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Composition, compose } from './composition.ts';

let emulator: Composition;
let base: string;
const clock = new SimulatedClock();

beforeEach(async () => {
  emulator = await compose({ clock });
  base = `/applications/${emulator.world.application.id}/commands`;
});
afterEach(() => emulator[Symbol.asyncDispose]());

const ask = { name: 'ask', description: 'Asks the bot' };
const text = { type: 3, name: 'text', description: 'What to ask', required: true };

describe('application commands', () => {
  it('creates, replaces by name, changes, reads and removes', async () => {
    const created = await emulator.api('POST', base, { ...ask, options: [text] });
    expect(created).toMatchObject({ status: 201, body: { name: 'ask', options: [text] } });
    const upserted = await emulator.api('POST', base, { ...ask, description: 'Again' });
    expect(upserted).toMatchObject({ status: 200, body: { id: created.body.id } });
    const path = `${base}/${created.body.id}`;
    const patched = await emulator.api('PATCH', path, { description: 'Changed' });
    expect(patched.body).toMatchObject({ name: 'ask', description: 'Changed' });
    expect((await emulator.api('GET', path)).body.description).toBe('Changed');
    expect((await emulator.api('DELETE', path)).status).toBe(204);
    expect((await emulator.api('GET', path)).body.code).toBe(10063);
  });

  it('overwrites all of a scope, keeping the ids of names that stay', async () => {
    const [guildId] = emulator.world.guildIds();
    const ofGuild = base.replace('/commands', `/guilds/${guildId}/commands`);
    const first = await emulator.api('PUT', ofGuild, [ask, { type: 3, name: 'Explain this' }]);
    const second = await emulator.api('PUT', ofGuild, [{ ...ask, description: 'New' }]);
    expect(second.body).toMatchObject([{ id: first.body[0].id, description: 'New' }]);
    expect((await emulator.api('GET', ofGuild)).body).toHaveLength(1);
    expect((await emulator.api('GET', base)).body).toEqual([]);
    const twice = await emulator.api('PUT', ofGuild, [ask, ask]);
    expect(twice.body.code).toBe(50035);
    expect((await emulator.api('GET', ofGuild)).body).toHaveLength(1);
  });

  it.each([
    { ...ask, name: 'Upper' },
    { ...ask, name: 'with space' },
    { ...ask, name: 'x'.repeat(33) },
    { name: 'ask' },
    { type: 2, name: 'User menu', description: 'has none' },
    { ...ask, options: Array.from({ length: 26 }, (_, place) => ({ ...text, name: `o${place}` })) },
    {
      ...ask,
      options: [
        { ...text, choices: Array.from({ length: 26 }, () => ({ name: 'x', value: 'x' })) },
      ],
    },
    {
      ...ask,
      options: Array.from({ length: 25 }, (_, place) => ({
        ...text,
        name: `o${place}`,
        description: 'x'.repeat(100),
        choices: Array.from({ length: 3 }, (_, nth) => ({
          name: `c${nth}`,
          value: 'v'.repeat(90),
        })),
      })),
    },
  ])('refuses a command that breaks a rule (%#)', async (command) => {
    expect(await emulator.api('POST', base, command)).toMatchObject({
      status: 400,
      body: { code: 50035 },
    });
  });

  it('takes names of other scripts, in lower case', async () => {
    for (const name of ['задать', '質問', 'पूछो', "don't"]) {
      expect((await emulator.api('POST', base, { ...ask, name })).status, name).toBe(201);
    }
  });

  it('holds a scope to 100 slash commands, and to 200 creations a day', async () => {
    const many = (from: number, count: number) =>
      Array.from({ length: count }, (_, place) => ({ ...ask, name: `c${from + place}` }));
    expect((await emulator.api('PUT', base, many(0, 101))).body.code).toBe(30032);
    expect((await emulator.api('PUT', base, many(0, 100))).status).toBe(200);
    expect((await emulator.api('POST', base, ask)).body.code).toBe(30032);
    expect((await emulator.api('PUT', base, many(100, 100))).status).toBe(200);
    expect((await emulator.api('PUT', base, many(200, 1))).body.code).toBe(30034);
    expect((await emulator.api('PUT', base, many(100, 100))).status).toBe(200);
    await clock.advance(86_400_000);
    expect((await emulator.api('PUT', base, many(200, 1))).status).toBe(200);
  });

  it('belongs to its own application', async () => {
    const other = base.replace(emulator.world.application.id, '123456789012345678');
    expect((await emulator.api('GET', other)).body.code).toBe(50001);
  });
});
