/** What the REST API and the people's door share: messages, interactions, commands, files. */
import type { Clock, Random } from '@starling/clock';
import type { KnobStore } from '../core/knobs.ts';
import type { Dispatcher, RecordKeeper } from '../core/ports.ts';
import type { World } from '../core/world.ts';
import { CommandBook } from './commands/command-book.ts';
import { InteractionBook } from './interactions/interaction-book.ts';
import { AttachmentStore } from './messages/attachment-store.ts';
import { MessageBoard } from './messages/message-board.ts';

export interface PlatformParts {
  readonly clock: Clock;
  /** Makes interaction tokens. */
  readonly random: Random;
  readonly world: World;
  readonly knobs: KnobStore;
  readonly dispatcher: Dispatcher;
  readonly keeper: RecordKeeper;
  /** `http://host:port` of the server that mounts the door; read when a file is kept. */
  readonly baseUrl: () => string;
}

/** One platform for both handlers: what one changes the other shows. */
export interface Platform extends PlatformParts {
  readonly board: MessageBoard;
  readonly interactions: InteractionBook;
  readonly commands: CommandBook;
  readonly attachments: AttachmentStore;
}

/** Builds it once for `createRestHandler` and `createPeopleHandler`. */
export function createPlatform(parts: PlatformParts): Platform {
  const { clock, world } = parts;
  return {
    ...parts,
    board: new MessageBoard(parts),
    interactions: new InteractionBook(parts),
    commands: new CommandBook({ clock, world }),
    attachments: new AttachmentStore(world.snowflakes, parts.baseUrl),
  };
}
