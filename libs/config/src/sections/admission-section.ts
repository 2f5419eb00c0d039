import { field } from '../parse.ts';

/** How much one user and one guild may have waiting: bots admit by it, balancers queue by it. Set it alike everywhere. */
export const admissionSection = {
  jobsPerUser: field.integer('STARLING_JOBS_PER_USER', {
    default: 3,
    min: 1,
    max: 1_000,
    doc: 'Questions of one user that may wait or be answered at once. More lets a user fill the queue, fewer makes quick ones wait for slow ones. A balancer, which also sees replays and retries, allows twice as many, and 10 at least.',
  }),
  jobsPerGuild: field.integer('STARLING_JOBS_PER_GUILD', {
    default: 30,
    min: 1,
    max: 10_000,
    doc: 'The same for all users of one guild together; a balancer allows twice as many, and 1 000 at least.',
  }),
} as const;
