import type { ApiProblem } from '../../src/ingress/api-problem.ts';
import type { CallerReply } from '../../src/ingress/caller-reply.ts';
import type { Done } from '../../src/ingress/completion-text.ts';

/** A caller that keeps what it is told. */
export class FakeReply implements CallerReply {
  readonly texts: string[] = [];
  outcome: Done | undefined;
  problem: ApiProblem | undefined;

  get begun(): boolean {
    return this.texts.length > 0;
  }

  text(text: string): void {
    this.texts.push(text);
  }

  done(outcome: Done, rest: string): void {
    if (rest !== '') this.texts.push(rest);
    this.outcome = outcome;
  }

  failed(problem: ApiProblem): void {
    this.problem = problem;
  }

  get whole(): string {
    return this.texts.join('');
  }
}
