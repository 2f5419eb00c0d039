import { systemClock as clock } from '@starling/clock';
import { startProvider } from './baselines/provider.ts';
import { benchModels, instant, steadyStream } from './benches/models.ts';
import { startFleet } from './fleet/fleet.ts';
import { startLoadGenerator } from './load/load-generator.ts';
import { measure } from './rounds/measure.ts';
const prof = process.env.PROF;
await using stack = new AsyncDisposableStack();
const provider = stack.use(await startProvider());
const generator = stack.use(await startLoadGenerator());
await provider.setModels(benchModels);
const fleet = stack.use(await startFleet(provider, { balancers: 2, workers: 2, slots: 48 }, prof ? { cpuProfDir: prof } : {}));
const context: any = { clock, environment: {}, cacheDir: '/nowhere', generator, provider, rounds: 1, loadMs: 1, say: () => {}, signal: new AbortController().signal };
const which = (process.env.TARGETS ?? 'direct,fleet,durable').split(',');
const targets: any = { direct: provider, fleet: fleet.target, durable: fleet.durable };
const ms = Number(process.env.MS ?? 4000);
const rounds = Number(process.env.ROUNDS ?? 2);
const mode = process.env.MODE ?? 'open300,closed96';
for (let r = 0; r < rounds; r++) for (const m of mode.split(',')) for (const name of which) {
  const stream = m.startsWith('stream');
  const pace: any = m.startsWith('closed') ? { kind: 'closed', inFlight: Number(m.slice(6)) } : { kind: 'open', arrivals: { kind: 'even', perSecond: Number(m.replace(/\D+/, '')) } };
  const s = await measure(context, targets[name], { body: { model: stream ? steadyStream.name : instant.name, stream }, pace, warmUpMs: 1500, measureMs: ms });
  const l = stream ? s.result.firstToken : s.result.latency;
  const cpu: any = s.cpuPerThousand; const sum = Object.entries(cpu).filter(([k]) => !['provider','generator'].includes(k)).reduce((a, [, v]: any) => a + v, 0);
  console.log(m, name, Math.round(s.result.perSecond) + '/s', 'p50', l.percentile(50)?.toFixed(2), 'p99', l.percentile(99)?.toFixed(2), 'failed', s.result.failed, s.result.notSent, s.result.problems[0] ?? '', 'cpu/1000', sum.toFixed(3), JSON.stringify(cpu));
}
console.log('left', await fleet.storedJobs());
