/**
 * Which jobs may share one call of the provider (features A8): those that ask a model for the very same
 * thing in the same name. The key is a hash of all that is asked, so that a field that comes to a job
 * later is in it without anyone thinking of it; who asks, and when, is not. Two jobs of one key have the
 * same prompt byte for byte: nobody is ever answered out of what only another one has said.
 */
import { createHash } from 'node:crypto';
import { type CallKey, callKey, type GuildId, type Job } from '@starling/contracts';

/** Whose questions may meet: those of one guild, or of one caller of the ingress. */
export type CallScope =
  | { readonly kind: 'guild'; readonly guildId: GuildId }
  | { readonly kind: 'caller'; readonly caller: string };

/** What is told of a job beside the question itself. */
type Circumstance = 'jobId' | 'lane' | 'origin' | 'acceptedAtMs' | 'deadlineAtMs' | 'callKey';

/** What is asked of a model. */
export type AskedOfModel = Omit<Job, Circumstance>;

/** Raised with each change of what the same key stands for: processes of two versions do not share. */
const version = 1;
const keyBytes = 16;

/** The key of what is asked, within a scope. */
export function callKeyOf(asked: AskedOfModel, scope: CallScope): CallKey {
  const text = JSON.stringify(ordered({ version, scope, asked: onlyAsked(asked) }));
  const digest = createHash('sha256').update(text).digest().subarray(0, keyBytes);
  return callKey.parse(digest.toString('base64url'));
}

/** A whole job may be given, too. */
function onlyAsked(asked: AskedOfModel & Partial<Pick<Job, Circumstance>>): AskedOfModel {
  const { jobId, lane, origin, acceptedAtMs, deadlineAtMs, callKey, ...rest } = asked;
  return rest;
}

/** The same value with the fields of each object in the order of their names; absent ones are left out. */
function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  fields.sort(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(fields.map(([name, field]) => [name, ordered(field)]));
}
