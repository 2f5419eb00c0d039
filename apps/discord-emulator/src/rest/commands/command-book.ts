/** Registered commands: global ones, and those of one guild, each scope with its own limits. */
import type { Clock } from '@starling/clock';
import type { World } from '../../core/world.ts';
import { ApiError, invalidForm } from '../api-error.ts';
import { SlidingWindow } from '../limits/sliding-window.ts';
import { type CommandForm, commandTypes } from './command-form.ts';

/** A registered command as the API serves it. */
export interface Command {
  readonly id: string;
  readonly application_id: string;
  readonly version: string;
  readonly type: number;
  readonly name: string;
  readonly description: string;
  readonly default_member_permissions: string | null;
  readonly nsfw: boolean;
  readonly guild_id?: string;
  readonly options?: CommandForm['options'];
  readonly [field: string]: unknown;
}

/** Commands of one type in one scope (docs: "Application Command Limits"). */
const maxOfType: Readonly<Record<number, number>> = {
  [commandTypes.chatInput]: 100,
  [commandTypes.user]: 15,
  [commandTypes.message]: 15,
};

/** Commands that may be created in a day in one scope; changing one that exists is free. */
const createsPerDay = { limit: 200, perMs: 86_400_000 } as const;

const keyOf = ({ name, type }: { readonly name: string; readonly type: number }) =>
  `${type} ${name}`;

interface Scope {
  readonly commands: Map<string, Command>;
  readonly creates: SlidingWindow;
}

export class CommandBook {
  readonly #clock: Clock;
  readonly #world: World;
  /** By guild id, '' for the global ones; bounded by the guilds that exist. */
  readonly #scopes = new Map<string, Scope>();

  constructor(parts: { readonly clock: Clock; readonly world: World }) {
    this.#clock = parts.clock;
    this.#world = parts.world;
  }

  /** Commands of a guild, or the global ones. */
  list(guildId?: string): Command[] {
    return [...(this.#scopes.get(guildId ?? '')?.commands.values() ?? [])];
  }

  /** @throws ApiError 10063 */
  get(where: { readonly guildId?: string | undefined; readonly commandId: string }): Command {
    const command = this.#scopes.get(where.guildId ?? '')?.commands.get(where.commandId);
    if (!command) throw new ApiError(10063);
    return command;
  }

  /** A command that people in a guild (or in a direct message) can use, by name. */
  find(where: {
    readonly guildId?: string | undefined;
    readonly name: string;
  }): Command | undefined {
    const named = ({ name }: Command) => name === where.name;
    const ofGuild = where.guildId === undefined ? undefined : this.list(where.guildId).find(named);
    return ofGuild ?? this.list().find(named);
  }

  /**
   * Creates a command, or replaces the one with its name and type.
   * @throws ApiError 30032 too many, 30034 too many created today
   */
  upsert(
    form: CommandForm,
    guildId?: string,
  ): { readonly command: Command; readonly created: boolean } {
    const scope = this.#scope(guildId);
    const same = this.list(guildId).find((command) => keyOf(command) === keyOf(form));
    if (!same) {
      const ofType = this.list(guildId).filter(({ type }) => type === form.type).length;
      if (ofType >= (maxOfType[form.type] ?? 0)) throw new ApiError(30032);
      if (!scope.creates.admit(this.#clock.monotonicMs()).admitted) throw new ApiError(30034);
    }
    const command = this.#commandOf(form, { guildId, id: same?.id });
    scope.commands.set(command.id, command);
    return { command, created: !same };
  }

  /** Changes a command. @throws ApiError 10063 */
  replace(
    form: CommandForm,
    where: { readonly guildId?: string | undefined; readonly commandId: string },
  ): Command {
    const known = this.get(where);
    const command = this.#commandOf(form, { guildId: where.guildId, id: known.id });
    this.#scope(where.guildId).commands.set(command.id, command);
    return command;
  }

  /**
   * Replaces all commands of a scope; those that keep name and type keep their ids.
   * @throws ApiError 30032, 30034, or 50035 for two commands with one name
   */
  overwrite(forms: readonly CommandForm[], guildId?: string): Command[] {
    const scope = this.#scope(guildId);
    const known = new Map(this.list(guildId).map((command) => [keyOf(command), command]));
    const keys = new Set<string>();
    for (const [type, max] of Object.entries(maxOfType)) {
      if (forms.filter((form) => form.type === Number(type)).length > max)
        throw new ApiError(30032);
    }
    for (const [index, form] of forms.entries()) {
      if (keys.has(keyOf(form))) {
        const message = 'Application command names must be unique';
        const code = 'APPLICATION_COMMANDS_DUPLICATE_NAME';
        throw invalidForm({ field: `${index}.name`, code, message });
      }
      keys.add(keyOf(form));
    }
    const nowMs = this.#clock.monotonicMs();
    const fresh = forms.filter((form) => !known.has(keyOf(form)));
    if (scope.creates.count(nowMs) + fresh.length > createsPerDay.limit) throw new ApiError(30034);
    for (const _ of fresh) scope.creates.admit(nowMs);
    scope.commands.clear();
    for (const form of forms) {
      const command = this.#commandOf(form, { guildId, id: known.get(keyOf(form))?.id });
      scope.commands.set(command.id, command);
    }
    return this.list(guildId);
  }

  /** @throws ApiError 10063 */
  remove(where: { readonly guildId?: string | undefined; readonly commandId: string }): void {
    this.get(where);
    this.#scope(where.guildId).commands.delete(where.commandId);
  }

  #scope(guildId: string | undefined): Scope {
    const known = this.#scopes.get(guildId ?? '');
    if (known) return known;
    const scope = {
      commands: new Map<string, Command>(),
      creates: new SlidingWindow(createsPerDay),
    };
    this.#scopes.set(guildId ?? '', scope);
    return scope;
  }

  #commandOf(
    form: CommandForm,
    given: { readonly guildId: string | undefined; readonly id: string | undefined },
  ): Command {
    const { id: _, options, ...fields } = form;
    const global = given.guildId === undefined;
    return {
      ...fields,
      id: given.id ?? this.#world.snowflakes.next(),
      application_id: this.#world.application.id,
      version: this.#world.snowflakes.next(),
      description: form.description ?? '',
      default_member_permissions: form.default_member_permissions ?? null,
      nsfw: form.nsfw ?? false,
      ...(options ? { options } : {}),
      ...(given.guildId === undefined ? {} : { guild_id: given.guildId }),
      ...(global ? { dm_permission: form.dm_permission ?? true } : { dm_permission: undefined }),
      contexts: form.contexts ?? null,
      integration_types: form.integration_types ?? [0],
    };
  }
}
