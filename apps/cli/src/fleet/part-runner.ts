import { join } from 'node:path';
import { systemRandom } from '@starling/clock';
import { telemetrySection } from '@starling/config';
import { type SupervisedChild, superviseChild } from '@starling/lifecycle';
import { childEnvironment } from './child-environment.ts';
import type { FleetOptions, FleetPart } from './fleet.ts';
import { PartLogs } from './part-logs.ts';
import type { PartSpec } from './part-specs.ts';

const { logFormat } = telemetrySection;

/** From spawn to readiness of one process: under 6 s when eleven of them start cold on two cores. */
const readyTimeoutMs = 60_000;
/** From SIGTERM to SIGKILL: longer than the drain deadline of any role. */
const stopDeadlineMs = 70_000;

/** Runs apps as supervised child processes, their output going to one log file each. */
export class PartRunner implements Disposable {
  readonly #options: FleetOptions;
  readonly #logs: PartLogs;
  readonly #running: { readonly spec: PartSpec; readonly child: SupervisedChild }[] = [];
  readonly #failure = Promise.withResolvers<Error>();

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#logs = new PartLogs(join(options.directory, 'logs'));
  }

  /** Resolves with the reason when a part that served could not be kept alive. */
  get failed(): Promise<Error> {
    return this.#failure.promise;
  }

  /** Ends the wait for {@link failed}: some part was given up. */
  readonly giveUp = (error: Error): void => this.#failure.resolve(error);

  /**
   * Starts one part and resolves when it serves.
   * @param onMessage every IPC message of its own but readiness
   * @throws {ChildError} with its last lines, when it does not
   */
  async run(spec: PartSpec, onMessage?: (message: unknown) => void): Promise<SupervisedChild> {
    const { clock, environment, root, say, signal } = this.#options;
    const child = await superviseChild({
      name: spec.name,
      command: {
        file: process.execPath,
        args: [join(root, 'apps', spec.app, 'src', 'main.ts')],
        environment: {
          ...childEnvironment(environment, spec.role),
          ...spec.settings,
          // What it says is read by people: in its log file, and quoted when it fails.
          [logFormat.variable]: environment[logFormat.variable] || 'pretty',
        },
        directory: root,
      },
      clock,
      random: systemRandom,
      ready: { kind: 'message' },
      readyTimeoutMs: spec.readyTimeoutMs ?? readyTimeoutMs,
      stopDeadlineMs,
      ...(spec.minPauseMs !== undefined && { minPauseMs: spec.minPauseMs }),
      signal,
      onRestart: ({ how }) => say(`${how}; starting it again`),
      onLine: (line) => this.#logs.write(spec.name, line),
      onGaveUp: this.giveUp,
      ...(onMessage && { onMessage }),
    });
    this.#running.push({ spec, child });
    say(`${spec.name} is up`);
    return child;
  }

  /** What runs now, in the order of its start. */
  parts(): readonly FleetPart[] {
    return this.#running.map(({ spec, child: { pid, ready } }) => ({
      name: spec.name,
      detail: typeof spec.detail === 'string' ? spec.detail : spec.detail(ready),
      ...(pid !== undefined && { pid }),
    }));
  }

  [Symbol.dispose](): void {
    this.#logs[Symbol.dispose]();
  }
}
