import type { BenchContext } from '../benchmark.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { usageOf } from '../processes/process-usage.ts';
import { type Row, row } from '../report/row.ts';
import { measure } from '../rounds/measure.ts';
import { instant } from './models.ts';

/** What the issue asks for; a shortened run makes as many as its time allows. */
const wantedJobs = 100_000;
const inFlight = 32;

/**
 * Resident memory of the fleet after the whole run against that after a fifth of it: what grows with
 * every job shows, what is built up once does not.
 */
export async function memoryOverJobs(
  context: BenchContext,
  fleet: Fleet,
  loadMs: number,
): Promise<{ readonly rows: readonly Row[]; readonly facts: Readonly<Record<string, unknown>> }> {
  const run = async (part: number) => {
    const { result } = await measure(context, fleet.target, {
      body: { model: instant.name, stream: false },
      pace: { kind: 'closed', inFlight },
      warmUpMs: 0,
      measureMs: loadMs * part,
      maxCalls: wantedJobs * part,
      maxInFlight: inFlight,
    });
    return { jobs: result.whole, bytes: await residentByProcess(fleet) };
  };
  const fifth = await run(1 / 5);
  const whole = await run(4 / 5);
  const [before, after] = [total(fifth.bytes), total(whole.bytes)];
  const jobs = fifth.jobs + whole.jobs;
  return {
    rows: [
      row({
        id: 'ingress.memory-growth',
        what: `resident memory of the fleet after ${jobs} jobs over that after ${fifth.jobs}`,
        value: (100 * (after - before)) / before,
        unit: '%',
        limit: { max: 10 },
        kind: 'speed',
      }),
    ],
    facts: { jobs, afterAFifthBytes: fifth.bytes, atTheEndBytes: whole.bytes },
  };
}

type Bytes = Readonly<Record<string, number>>;

/** Processes of one role are added up. */
async function residentByProcess({ target }: Fleet): Promise<Bytes> {
  const bytes: Record<string, number> = {};
  for (const { name, pid } of target.processes()) {
    bytes[name] = (bytes[name] ?? 0) + (await usageOf(pid)).residentBytes;
  }
  return bytes;
}

function total(bytes: Bytes): number {
  return Object.values(bytes).reduce((sum, each) => sum + each, 0);
}
