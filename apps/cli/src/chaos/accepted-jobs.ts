/**
 * What was accepted, seen from outside: the subjects that NATS stores in the stream `JOBS`, asked for
 * several times a second, and every publication to them that passes, for what is removed between two
 * looks. A publication that a dying server did not store is published again, so both mean the same.
 */
import type { Bus } from '@starling/bus';
import type { Clock } from '@starling/clock';
import { subjects } from '@starling/contracts';
import { z } from 'zod';

/** A few looks for each answer of a second. */
const everyMs = 150;
const timeoutMs = 2_000;

/** `STREAM.INFO` of NATS's JetStream API (docs.nats.io/reference/reference-protocols/nats_api_reference). */
const infoSubject = '$JS.API.STREAM.INFO.JOBS';
const question = new TextEncoder().encode(JSON.stringify({ subjects_filter: subjects.allJobs }));
const streamInfo = z.object({
  state: z.object({
    messages: z.int(),
    last_seq: z.int(),
    subjects: z.record(z.string(), z.int()).nullish(),
  }),
});

export class AcceptedJobs {
  /** Ids of all jobs that were ever seen; each is the id of the message that asked. */
  readonly ids = new Set<string>();
  /** The stream's last sequence: messages that were ever stored, one that was stored twice counted twice. */
  lastSequence = 0;
  /** Jobs that are stored now, as of the last look. */
  stored: readonly string[] = [];
  readonly #bus: Pick<Bus, 'messaging'>;

  constructor(bus: Pick<Bus, 'messaging'>) {
    this.#bus = bus;
  }

  /** Listens, and looks again and again, until the signal fires. */
  async watch({ clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal }) {
    await using _listening = await this.#bus.messaging.subscribe(
      subjects.allJobs,
      ({ subject }) => {
        this.ids.add(idOf(subject));
      },
    );
    while (!signal.aborted) {
      await this.look();
      await clock.sleep(everyMs, { signal }).catch(() => {});
    }
  }

  /** @returns false when NATS did not say */
  async look(): Promise<boolean> {
    try {
      const reply = await this.#bus.messaging.request(infoSubject, question, { timeoutMs });
      const parsed = streamInfo.safeParse(JSON.parse(new TextDecoder().decode(reply.payload)));
      if (!parsed.success) return false;
      const { state } = parsed.data;
      this.lastSequence = state.last_seq;
      this.stored = Object.keys(state.subjects ?? {}).map(idOf);
      for (const id of this.stored) this.ids.add(id);
      return true;
    } catch {
      return false;
    }
  }
}

/** The last token of `jobs.<lane>.<job>`. */
function idOf(subject: string): string {
  return subject.slice(subject.lastIndexOf('.') + 1);
}
