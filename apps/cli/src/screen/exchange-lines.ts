import { type Exchange, phaseNames } from '@starling/contracts';
import colors from 'picocolors';

/** An exchange in two lines: how it ended, and where the time went. */
export function exchangeLines(exchange: Exchange): readonly string[] {
  const phases = phaseNames.flatMap((phase) => {
    const ms = exchange.phases[phase];
    return ms === undefined ? [] : [`${phase} ${milliseconds(ms)}`];
  });
  return [
    `${ending(exchange)}  ${colors.dim(exchange.correlationId)}`,
    colors.dim(`  ${phases.join(' · ')} ms`),
  ];
}

function ending(exchange: Exchange): string {
  const total = `${milliseconds(exchange.totalMs)} ms`;
  switch (exchange.ending.kind) {
    case 'answered': {
      const first = exchange.firstTextMs;
      const seen = first === undefined ? '' : ` (first text ${milliseconds(first)} ms)`;
      return `${colors.green('✔')} answered in ${total}${seen}, ${exchange.edits} edits, by ${exchange.ending.model}${exchange.ending.shared ? ', with the call of another' : ''}`;
    }
    case 'refused':
      return `${colors.yellow('⚠')} refused in ${total}: ${exchange.ending.code}`;
    case 'failed':
      if (exchange.ending.code === 'cancelled')
        return `${colors.yellow('■')} stopped after ${total}`;
      return `${colors.red('✖')} failed after ${total}: ${exchange.ending.code}`;
  }
}

/** Whole milliseconds from 10 on; below that one digit, so that a short phase does not read as none. */
export function milliseconds(ms: number): string {
  return ms >= 9.95 ? ms.toFixed(0) : ms.toFixed(1);
}
