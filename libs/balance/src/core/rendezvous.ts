/**
 * Rendezvous hashing (Thaler and Ravishankar, 1998): every balancer ranks the live balancers for a job
 * in the same order without asking anyone, and a balancer that comes or goes moves only the jobs that
 * rank it first.
 */
export function rendezvousRank(key: string, self: string, others: Iterable<string>): number {
  const own = rendezvousWeight(key, self);
  let rank = 0;
  for (const other of others) {
    if (other === self) continue;
    const weight = rendezvousWeight(key, other);
    if (weight > own || (weight === own && other < self)) rank += 1;
  }
  return rank;
}

/** A node's weight for a key: FNV-1a over both with a final avalanche (murmur3's), 32 bits. */
export function rendezvousWeight(key: string, node: string): number {
  let value = 0x811c9dc5;
  for (const text of [node, '\0', key]) {
    for (let at = 0; at < text.length; at += 1) {
      value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
    }
  }
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
