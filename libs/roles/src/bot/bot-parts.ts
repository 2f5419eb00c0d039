import type { Bus } from '@starling/bus';
import type { Conversations } from '@starling/chat';
import type { Clock, Random } from '@starling/clock';
import type { botSection, ConfigOf, sharingSection } from '@starling/config';
import type { ClusterId } from '@starling/contracts';
import type { Admission } from '@starling/jobs';
import type { Jobs } from '../delivery/open-jobs.ts';
import type { DiscordGateway, DiscordInteractions, DiscordSender } from './discord-ports.ts';

/** The settings that the role reads; nothing of tokens, shards or processes. */
export type BotConfig = Pick<
  ConfigOf<typeof botSection>,
  | 'persona'
  | 'maxTextLength'
  | 'routeBudgetMs'
  | 'contextDmTokens'
  | 'contextGuildTokens'
  | 'historyMessages'
  | 'maxCompletionTokens'
  | 'jobDeadlineMs'
  | 'resultGraceMs'
  | 'acceptRetryMs'
  | 'answersPerCluster'
> &
  ConfigOf<typeof sharingSection>;

/** What a bot is built from. Nothing of it is owned: who made a part disposes it. */
export interface BotParts {
  readonly clusterId: ClusterId;
  readonly bus: Bus;
  /** See `openJobs`. */
  readonly jobs: Pick<Jobs, 'store' | 'ledger'>;
  readonly gateway: DiscordGateway;
  readonly sender: DiscordSender;
  readonly interactions: DiscordInteractions;
  readonly conversations: Conversations;
  readonly admission: Admission;
  readonly config: BotConfig;
  readonly clock: Clock;
  readonly random: Random;
}
