import type { UserId } from '@starling/contracts';

interface Speaker {
  readonly id: UserId;
  readonly name: string;
}

const maxNameLength = 32;

/**
 * A label for each speaker of a channel, so that one user's words are never taken for another's.
 * A name is cut to one line without the marks that the prompt uses, because people choose their
 * names; two speakers of one name are told apart by the end of their ids.
 */
export function speakerLabels(speakers: readonly Speaker[]): ReadonlyMap<UserId, string> {
  const names = new Map<UserId, string>();
  for (const { id, name } of speakers) names.set(id, plainName(name));
  const uses = new Map<string, number>();
  for (const name of names.values()) uses.set(name, (uses.get(name) ?? 0) + 1);
  return new Map(
    [...names].map(([id, name]) => [
      id,
      (uses.get(name) ?? 0) > 1 ? `${name} ${id.slice(-6)}` : name,
    ]),
  );
}

function plainName(name: string): string {
  const plain = name
    .replaceAll(/[\p{C}\p{Zl}\p{Zp}:[\]<>]/gu, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim()
    .slice(0, maxNameLength);
  return plain === '' ? 'someone' : plain;
}
