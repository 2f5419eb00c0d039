/** What a V8 CPU profile says: in which functions, and in whose code, a process spent its time. */
import { z } from 'zod';

/** The parts of the format that are read (chromedevtools.github.io/devtools-protocol, Profiler.Profile). */
const cpuProfile = z.object({
  nodes: z.array(
    z.object({
      id: z.int(),
      hitCount: z.int().default(0),
      children: z.array(z.int()).default([]),
      callFrame: z.object({ functionName: z.string(), url: z.string(), lineNumber: z.int() }),
    }),
  ),
});
type ProfileNode = z.infer<typeof cpuProfile>['nodes'][number];

/** A share of the samples in which the process did something, 0 to 1. */
export interface Share {
  readonly name: string;
  readonly share: number;
}

/** Shares of one process, the largest first. */
export interface ProfileSummary {
  /** Samples in which it did something; at V8's default interval about as many milliseconds. */
  readonly busySamples: number;
  readonly idleSamples: number;
  /** Whose code ran: a package, a library of ours, a module of Node, the engine. */
  readonly owners: readonly Share[];
  /** Time in the function itself. */
  readonly own: readonly Share[];
  /** Time in the function and in what it called. */
  readonly whole: readonly Share[];
}

/**
 * Counts samples, not the time between them: on a machine that is short of processors that time is
 * also the time for which the process was not running.
 * @throws {Error} when the text is no CPU profile
 */
export function summariseProfile(text: string): ProfileSummary {
  const { nodes } = cpuProfile.parse(JSON.parse(text));
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const owners = new Map<string, number>();
  const own = new Map<string, number>();
  const whole = new Map<string, number>();
  let busySamples = 0;
  let idleSamples = 0;

  /** @returns the samples under the node */
  const visit = (node: ProfileNode, callers: ReadonlySet<string>): number => {
    const name = nameOf(node);
    if (name === '(idle)') {
      idleSamples += node.hitCount;
      return 0;
    }
    busySamples += node.hitCount;
    add(owners, ownerOf(node), node.hitCount);
    add(own, name, node.hitCount);
    // A function that is its own caller is counted where it was called first.
    const repeated = callers.has(name);
    const inside = repeated ? callers : new Set(callers).add(name);
    let samples = node.hitCount;
    for (const id of node.children) {
      const child = byId.get(id);
      if (child) samples += visit(child, inside);
    }
    if (!repeated) add(whole, name, samples);
    return samples;
  };
  const [rootNode] = nodes;
  if (rootNode) visit(rootNode, new Set());
  whole.delete('(root)');
  return {
    busySamples,
    idleSamples,
    owners: shares(owners, busySamples),
    own: shares(own, busySamples),
    whole: shares(whole, busySamples),
  };
}

function add(to: Map<string, number>, name: string, samples: number): void {
  to.set(name, (to.get(name) ?? 0) + samples);
}

function shares(samples: ReadonlyMap<string, number>, of: number): readonly Share[] {
  return [...samples]
    .filter(([, count]) => count > 0)
    .map(([name, count]) => ({ name, share: count / of }))
    .sort((a, b) => b.share - a.share);
}

/** `function file:line`; what the engine does itself has its name in parentheses. */
function nameOf({ callFrame: { functionName, url, lineNumber } }: ProfileNode): string {
  const name = functionName === '' ? '(anonymous)' : functionName;
  return url === '' ? name : `${name} ${shortPath(url)}:${lineNumber + 1}`;
}

function ownerOf({ callFrame: { functionName, url } }: ProfileNode): string {
  if (url === '') return functionName.startsWith('(') ? functionName : '(built-in functions)';
  const path = shortPath(url);
  const folder = /^(?:@[^/]+\/[^/]+|(?:apps|libs)\/[^/]+|node:internal\/[^/]+|[^/]+)/.exec(path);
  return folder?.[0] ?? path;
}

/** Without what lies before a package of `node_modules`, or before our own `apps` and `libs`. */
function shortPath(url: string): string {
  const [, inPackage] = /.*\/node_modules\/(.+)$/.exec(url) ?? [];
  const [, ours] = /.*\/((?:apps|libs)\/[^/]+\/src\/.+)$/.exec(url) ?? [];
  return inPackage ?? ours ?? url;
}
