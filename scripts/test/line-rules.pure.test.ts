import { expect, it } from 'vitest';
import { brokenRules } from '../ci/line-rules.ts';

const line =
  '{"ok":true,"mode":"local","edits":0,"answer":"","phases":{"llm":3},"services":["bot"]}';

it('holds a closing line to its rules', () => {
  const rules = ['ok=true', 'mode=local', 'mode', 'mode~^lo', 'phases.llm=3', 'services=["bot"]'];
  expect(brokenRules(line, rules)).toEqual([]);
});

it('names the rules that do not hold', () => {
  const rules = [
    'ok=false',
    'ok="true"',
    'answer',
    'edits=1',
    'phases.send',
    'mode~^x',
    'a.b.c',
    '',
  ];
  expect(brokenRules(line, rules)).toEqual(rules);
});

it('takes nothing but an object of JSON', () => {
  expect(brokenRules('ok', ['ok=true'])).toHaveLength(1);
  expect(brokenRules('null', ['ok'])).toHaveLength(1);
});
