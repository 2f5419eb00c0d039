import type { ProcessHost, StopCause } from '@starling/lifecycle';
import { expect, it } from 'vitest';
import { botHost } from '../src/bot-host.ts';

it('lets a child’s closed channel pass, and every other fault end the process', () => {
  const heard: StopCause[] = [];
  let tell: (cause: StopCause) => void = () => {};
  const inner: ProcessHost = {
    pid: 1,
    onStop(listener) {
      tell = listener;
      return { [Symbol.dispose]() {} };
    },
    send() {},
    writeOut() {},
    writeError() {},
    exit() {},
  };
  const { fail, host } = botHost(inner);
  using _ = host.onStop((cause) => heard.push(cause));
  const closed = Object.assign(new Error('Channel closed'), { code: 'ERR_IPC_CHANNEL_CLOSED' });
  const broken = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' });
  const bug = new Error('bug');
  tell({ kind: 'fault', error: closed });
  tell({ kind: 'fault', error: broken });
  tell({ kind: 'fault', error: bug });
  tell({ kind: 'signal', signal: 'SIGTERM' });
  fail('token reset');
  expect(heard).toEqual([
    { kind: 'fault', error: bug },
    { kind: 'signal', signal: 'SIGTERM' },
    { kind: 'fault', error: 'token reset' },
  ]);
});
