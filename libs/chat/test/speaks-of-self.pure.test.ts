import { describe, expect, it } from 'vitest';
import { speaksOfSelf } from '../src/speaks-of-self.ts';

describe('speaksOfSelf', () => {
  it.each([
    'What did I say?',
    "I'm new here",
    'is it OUR turn?',
    'Wie heiße ich?',
    'wo ist mein Hund',
    "qu'est-ce que j'ai dit ?",
    '¿cuál es mi nombre?',
    'qual é o meu nome?',
    'как меня зовут?',
    'benim adım ne?',
    '我叫什么名字？',
    '私の名前は？',
    '제가 뭐라고 했죠?',
  ])('sees the first person: %s [A8]', (text) => {
    expect(speaksOfSelf(text)).toBe(true);
  });

  it.each([
    'What is a murmuration?',
    'When does the raid start?',
    'Was ist ein Schwarm im Winter?',
    "Qu'est-ce que c'est ?",
    '¿Qué es un estornino?',
    'Что такое мурмурация?',
    '星椋鸟是什么？',
    'ムクドリとは何ですか？',
    '찌르레기는 무엇인가요?',
    '12:30?',
    '🐦',
    '',
  ])('sees none: %s [A8]', (text) => {
    expect(speaksOfSelf(text)).toBe(false);
  });
});
