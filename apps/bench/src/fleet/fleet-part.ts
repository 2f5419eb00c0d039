import { type RunningApp, type SpawnAppOptions, spawnApp } from '@starling/harness';

/** What a process of the fleet does. */
export type FleetRole = 'balancer' | 'worker' | 'ingress';

/** One process of the fleet, which can be killed and started again under its name. */
export class FleetPart implements AsyncDisposable {
  readonly name: string;
  readonly role: FleetRole;
  readonly #options: SpawnAppOptions;
  #app: RunningApp;

  private constructor(
    identity: { readonly name: string; readonly role: FleetRole },
    options: SpawnAppOptions,
    app: RunningApp,
  ) {
    this.name = identity.name;
    this.role = identity.role;
    this.#options = options;
    this.#app = app;
  }

  /** @throws {HarnessError} `start_failed` */
  static async start(
    identity: { readonly name: string; readonly role: FleetRole },
    env: Readonly<Record<string, string>>,
    nodeArgs: readonly string[] = [],
  ): Promise<FleetPart> {
    const options = {
      nodeArgs,
      entry: new URL(`../../../${identity.role}/src/main.ts`, import.meta.url),
      env: { ...env, STARLING_INSTANCE_ID: identity.name },
    };
    return new FleetPart(identity, options, await spawnApp(options));
  }

  get pid(): number {
    return this.#app.pid;
  }

  /** What it told with its readiness. */
  get readiness(): Readonly<Record<string, unknown>> {
    return this.#app.readiness;
  }

  /** Kill -9, then a new process under the same name; resolves when that one is ready. */
  async replace(): Promise<void> {
    await this.#app.kill();
    this.#app = await spawnApp(this.#options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#app.stop();
  }
}
