import { fork } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';

const main = new URL('../src/main.ts', import.meta.url);

function start(environment: Record<string, string>) {
  const child = fork(main, [], {
    env: { STARLING_LOG_LEVEL: 'error', ...environment },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let errors = '';
  child.stderr?.on('data', (data: Buffer) => {
    errors += data.toString();
  });
  const exited = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  return { child, exited, errors: () => errors };
}

describe('the emulator as a process', () => {
  it('tells its URL, takes its settings, answers, and stops on SIGTERM', async () => {
    const { child, exited } = start({
      STARLING_LLM_EMULATOR_KEYS: 'k1,k2',
      STARLING_LLM_EMULATOR_TIME_PERCENT: '0',
    });
    const [ready] = (await once(child, 'message')) as [{ ready: boolean; url: string }];
    expect(ready).toMatchObject({ ready: true, url: expect.stringMatching(/^http:\/\/127/) });
    const chat = (key: string) =>
      fetch(`${ready.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}` },
        body: JSON.stringify({ model: 'sim-large', messages: [{ role: 'user', content: 'Hi' }] }),
      });
    expect((await chat('k2')).status).toBe(200);
    expect((await chat('k3')).status).toBe(401);
    child.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
  });

  it('says which setting is wrong', async () => {
    const { exited, errors } = start({ STARLING_LLM_EMULATOR_PORT: '99999' });
    const [code] = await exited;
    expect(code).toBe(2);
    expect(errors()).toMatch(/STARLING_LLM_EMULATOR_PORT=.*99999/);
  });
});
