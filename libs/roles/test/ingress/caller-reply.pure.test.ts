import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { jobProblem } from '../../src/ingress/api-problem.ts';
import { StreamReply } from '../../src/ingress/caller-reply.ts';
import type { Done } from '../../src/ingress/completion-text.ts';
import { eventsOf } from './ingress-bench.ts';

/** A response whose socket takes something only when the test says so. */
class FakeResponse extends EventEmitter {
  writableNeedDrain = false;
  status: number | undefined;
  readonly writes: string[] = [];
  ended = false;

  setHeader(): void {}

  writeHead(status: number): void {
    this.status = status;
  }

  write(text: string): void {
    this.writes.push(text);
  }

  end(text: string): void {
    this.writes.push(text);
    this.ended = true;
  }

  /** The socket took everything. */
  drain(): void {
    this.writableNeedDrain = false;
    this.emit('drain');
  }
}

const outcome: Done = {
  kind: 'done',
  text: 'all of it',
  model: 'm',
  finishReason: 'length',
  usage: { promptTokens: 1, completionTokens: 2, estimated: false },
  frames: 0,
};

function open() {
  const response = new FakeResponse();
  let overflows = 0;
  const reply = new StreamReply(response as unknown as ServerResponse, {
    head: { requestId: 'r1', created: 0, model: 'm', serviceTier: undefined },
    includeUsage: false,
    onOverflow: () => {
      overflows += 1;
    },
  });
  const said = () =>
    response.writes
      .flatMap((text) => eventsOf(text))
      .map((event) => (event as { choices?: { delta: { content?: string } }[] }).choices?.[0])
      .map((choice) => choice?.delta.content)
      .filter((text) => text !== undefined && text !== '');
  return { response, reply, said, overflows: () => overflows };
}

describe('a streamed reply', () => {
  it('sends its head with the first text, not before', () => {
    const { response, reply } = open();
    expect(reply.begun).toBe(false);
    reply.text('a');
    expect(response).toMatchObject({ status: 200, ended: false });
    expect(reply.begun).toBe(true);
  });

  it('collects what a slow reader cannot take yet, and sends it as one piece [B7]', () => {
    const { response, reply, said } = open();
    reply.text('a');
    response.writableNeedDrain = true;
    for (const text of ['b', 'c', 'd']) reply.text(text);
    expect(said()).toEqual(['a']);
    response.drain();
    expect(said()).toEqual(['a', 'bcd']);
    reply.done(outcome, 'e');
    expect(said()).toEqual(['a', 'bcd', 'e']);
    expect(response.ended).toBe(true);
  });

  it('ends in order even while its reader is behind', () => {
    const { response, reply, said } = open();
    reply.text('a');
    response.writableNeedDrain = true;
    reply.text('b');
    reply.done(outcome, 'c');
    response.drain();
    expect(said()).toEqual(['a', 'bc']);
    expect(eventsOf(response.writes.at(-1) ?? '').at(-1)).toBe('[DONE]');
  });

  it('holds 64 Ki characters for a reader that does not read, and no more [B7]', () => {
    const { response, reply, overflows } = open();
    reply.text('a');
    response.writableNeedDrain = true;
    reply.text('x'.repeat(64 * 1024));
    expect(overflows()).toBe(0);
    reply.text('x');
    expect(overflows()).toBe(1);
  });

  it('fails with a status before the first text, and in the stream after it', () => {
    const early = open();
    early.reply.failed(jobProblem('no_worker'));
    expect(early.response.status).toBe(503);
    const late = open();
    late.reply.text('a');
    late.response.writableNeedDrain = true;
    late.reply.text('b');
    late.reply.failed(jobProblem('answer_cut'));
    expect(late.said()).toEqual(['a', 'b']);
    expect(eventsOf(late.response.writes.at(-1) ?? '').at(-1)).toMatchObject({
      error: { code: 'answer_cut', type: 'server_error' },
    });
  });

  it('that had no frames has the whole text from the result', () => {
    const { reply, said } = open();
    reply.done(outcome, outcome.text);
    expect(said()).toEqual(['all of it']);
  });
});
