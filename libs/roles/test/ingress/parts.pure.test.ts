import { errorCodes } from '@starling/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AnswerText } from '../../src/ingress/answer-text.ts';
import { apiErrorCodes, jobProblem, problemBody } from '../../src/ingress/api-problem.ts';
import { callerOrProblem } from '../../src/ingress/caller-gate.ts';
import { RequestPermits } from '../../src/ingress/request-permits.ts';
import { Tally } from '../../src/ingress/tally.ts';

describe('the text of an answer', () => {
  it('is whole whatever frames are lost, repeated or late', () => {
    const pieces = fc.array(fc.string({ minLength: 1 }), { maxLength: 20 });
    fc.assert(
      fc.property(pieces, fc.infiniteStream(fc.nat(3)), (texts, fates) => {
        const answer = new AnswerText();
        let seen = '';
        texts.forEach((text, sequence) => {
          const times = fates.next().value ?? 1;
          for (let time = 0; time < times; time += 1) {
            seen += answer.frame({ sequence, text }, () => {});
          }
        });
        const whole = texts.join('');
        expect(whole.startsWith(seen)).toBe(true);
        expect(seen + answer.rest(whole)).toBe(whole);
      }),
    );
  });
});

describe('a hole in the frames', () => {
  it('is told once, and what is sent again closes it', () => {
    const answer = new AnswerText();
    const holes: number[] = [];
    const frame = (sequence: number) =>
      answer.frame({ sequence, text: `${sequence}` }, (from) => holes.push(from));
    expect([0, 2, 3, 1, 2, 3, 5, 6].map(frame).join('')).toBe('0123');
    expect(holes).toEqual([1, 4]);
  });
});

describe('permits', () => {
  it('bound all requests and those of each caller, and are given back once [B7]', () => {
    const permits = new RequestPermits({ max: 3, maxPerCaller: 2 });
    const ann = [permits.take('ann'), permits.take('ann')] as Disposable[];
    expect(permits.take('ann')).toBe('caller_full');
    expect(typeof permits.take('bob')).toBe('object');
    expect(permits.take('carl')).toBe('full');
    ann[0]?.[Symbol.dispose]();
    ann[0]?.[Symbol.dispose]();
    expect(permits.total).toBe(2);
    expect(typeof permits.take('ann')).toBe('object');
    expect(permits.take('ann')).toBe('caller_full');
  });
});

describe('a problem', () => {
  it('has a status, a type and a remedy in time for every code of the fleet', () => {
    for (const code of errorCodes) {
      const { status, type, message } = jobProblem(code);
      expect(status).toBeGreaterThanOrEqual(400);
      expect(message).not.toBe('');
      expect(type).toBe(
        status === 429
          ? 'rate_limit_error'
          : status < 500
            ? 'invalid_request_error'
            : 'server_error',
      );
    }
    expect(new Set(apiErrorCodes).size).toBe(apiErrorCodes.length);
  });

  it('is told in the shape of OpenAI', () => {
    expect(JSON.parse(problemBody(jobProblem('no_worker')))).toEqual({
      error: {
        message: 'Nobody is free to answer right now.',
        type: 'server_error',
        param: null,
        code: 'no_worker',
      },
    });
  });
});

describe('a door without keys', () => {
  it.each(['localhost', 'localhost:8080', '127.0.0.1:1', '[::1]:80', 'LOCALHOST'])(
    'is open to %s',
    (host) => {
      expect(callerOrProblem({ host }, [])).toEqual({ caller: 'local' });
    },
  );

  it.each(['evil.example', 'evil.example:8080', '10.0.0.1', 'localhost.evil.example', undefined])(
    'is shut to the name %s: a browser was led here',
    (host) => {
      const known = callerOrProblem({ ...(host !== undefined && { host }) }, []);
      expect(known).toMatchObject({ problem: { status: 403, code: 'host_not_allowed' } });
    },
  );
});

describe('the page of metrics', () => {
  it('has what was counted, in the text form of Prometheus', () => {
    const tally = new Tally();
    tally.count('starling.ingress.requests', { route: 'chat', status: '200' });
    tally.count('starling.ingress.requests', { route: 'chat', status: '200' });
    for (const ms of [3, 7, 70_000]) tally.observe('starling.ingress.first_token', ms);
    const page = tally.page({ 'starling.ingress.in_flight': 4, 'starling.ingress.balancers': 1 });
    const lines = page.split('\n');
    expect(lines).toContain('# TYPE starling_ingress_requests_total counter');
    expect(lines).toContain('starling_ingress_requests_total{route="chat",status="200"} 2');
    expect(lines).toContain('starling_ingress_in_flight 4');
    expect(lines).toContain('starling_ingress_first_token_milliseconds_bucket{le="5"} 1');
    expect(lines).toContain('starling_ingress_first_token_milliseconds_bucket{le="10"} 2');
    expect(lines).toContain('starling_ingress_first_token_milliseconds_bucket{le="30000"} 2');
    expect(lines).toContain('starling_ingress_first_token_milliseconds_bucket{le="+Inf"} 3');
    expect(lines).toContain('starling_ingress_first_token_milliseconds_count 3');
    expect(lines).toContain('starling_ingress_first_token_milliseconds_sum 70010');
    for (const line of lines.filter((one) => one !== '' && !one.startsWith('#'))) {
      expect(line).toMatch(/^[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? \d+(\.\d+)?$/);
    }
  });
});
