/** `starling deadletters`: what each action does, and what it says. */
import { systemClock } from '@starling/clock';
import { type DeadLetter, listDeadLetters, namesJob, replayDeadLetter } from '@starling/jobs';
import type { FleetStores } from '../fleet/fleet-stores.ts';
import { deadLetterLine } from '../screen/dead-letter-lines.ts';
import { type Outcome, unknown } from './outcome.ts';

const clock = systemClock;

/** The newest so many. */
export async function listAction(stores: FleetStores, most: number): Promise<Outcome> {
  const letters = await listDeadLetters(stores.letters);
  const shown = letters.slice(-most);
  const nowMs = clock.nowMs();
  const left = letters.length - shown.length;
  return {
    ok: true,
    lines: [
      ...(left > 0 ? [`(${left} older ones: --most ${letters.length})`] : []),
      ...shown.map((letter) => deadLetterLine(letter, nowMs)),
      ...(letters.length === 0 ? ['there are no dead letters'] : []),
    ],
    json: { total: letters.length, letters: shown },
  };
}

/** Makes the letter a job again. */
export async function replayAction(stores: FleetStores, word: string): Promise<Outcome> {
  const named = await oneLetter(stores, word);
  if ('ok' in named) return named;
  const { letter } = named;
  const { name } = letter;
  const replay = await replayDeadLetter({ ...stores, clock }, letter);
  switch (replay.kind) {
    case 'replayed':
    case 'replayed_before': {
      const { jobId } = replay;
      const before = replay.kind === 'replayed_before';
      const text = before
        ? `${name} was replayed before, as ${jobId}; its dead letter is gone now`
        : `${name} is a job again, as ${jobId}: its answer goes to its channel (starling jobs show ${jobId})`;
      return { ok: true, lines: [text], json: { letter, jobId, before } };
    }
    case 'undelivered':
      return refused(
        name,
        'its failure is not delivered yet; try again when `jobs list` has it no more',
      );
    case 'answered':
      return refused(name, 'it was answered after all: drop it');
    case 'unreadable':
      return refused(name, `it still cannot be read: ${replay.problem}`);
    case 'gone':
      return refused(name, 'somebody else replayed or dropped it just now');
  }
}

/** Removes the letter for good. */
export async function dropAction(stores: FleetStores, word: string): Promise<Outcome> {
  const named = await oneLetter(stores, word);
  if ('ok' in named) return named;
  const { letter } = named;
  await stores.letters.remove(letter.sequence);
  const text = `dropped: ${deadLetterLine(letter, clock.nowMs())}`;
  return { ok: true, lines: [text], json: { letter } };
}

/** The one letter that has the name, or what to say. */
async function oneLetter(
  { letters }: FleetStores,
  word: string,
): Promise<{ readonly letter: DeadLetter } | Outcome> {
  const all = await listDeadLetters(letters);
  const found = all.filter(({ headers, name }) => namesJob(word, { headers, jobId: name }));
  const letter = found.find(({ name }) => name === word) ?? found[0];
  if (!letter) return unknown(word, { what: 'dead letter', names: all.map(({ name }) => name) });
  if (letter.name === word || found.length === 1) return { letter };
  const names = found.map(({ name }) => name);
  const error = `several dead letters have the name ${word}: give one of ${names.join(', ')}`;
  return { ok: false, lines: [error], json: { error, names } };
}

function refused(name: string, why: string): Outcome {
  const error = `${name}: ${why}`;
  return { ok: false, lines: [error], json: { name, error } };
}
