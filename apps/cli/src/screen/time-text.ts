/** A duration as people say it: its two largest units. */
export function durationText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return pair(seconds, [60, 'min'], [1, 's']);
  if (seconds < 86_400) return pair(seconds, [3_600, 'h'], [60, 'min']);
  return pair(seconds, [86_400, 'd'], [3_600, 'h']);
}

type Unit = readonly [seconds: number, name: string];

function pair(seconds: number, [large, largeName]: Unit, [small, smallName]: Unit): string {
  const rest = Math.floor((seconds % large) / small);
  return `${Math.floor(seconds / large)} ${largeName}${rest > 0 ? ` ${rest} ${smallName}` : ''}`;
}
