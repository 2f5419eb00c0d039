import type { ChatMessage } from '@starling/contracts';
import { requestProblem } from './api-problem.ts';
import { FieldProblem, invalid, missing, unsupported } from './field-problem.ts';
import { isRecord } from './is-record.ts';

/** As many as a job may hold. */
const maxMessages = 200;

/** OpenAI's roles as ours; `developer` is its newer word for `system`. */
const roles: ReadonlyMap<unknown, ChatMessage['role']> = new Map([
  ['system', 'system'],
  ['developer', 'system'],
  ['user', 'user'],
  ['assistant', 'assistant'],
]);

/**
 * The conversation of a request.
 * @throws {FieldProblem}
 */
export function readMessages(value: unknown): readonly ChatMessage[] {
  const remedy = `give 1 to ${maxMessages} messages, each {"role": …, "content": "text"}`;
  if (value === undefined) throw missing('messages', remedy);
  if (!Array.isArray(value)) throw invalid('messages', value, remedy);
  if (value.length === 0 || value.length > maxMessages) {
    throw invalid('messages', `${value.length} messages`, remedy);
  }
  const messages = value.map(readMessage);
  if (messages.every(({ content }) => content.trim() === '')) {
    throw new FieldProblem(
      requestProblem(
        'invalid_value',
        'messages have no text: put some into the content of the last one.',
        'messages',
      ),
    );
  }
  return messages;
}

function readMessage(value: unknown, index: number): ChatMessage {
  const at = `messages[${index}]`;
  if (!isRecord(value)) throw invalid(at, value, 'make it {"role": …, "content": "text"}');
  const { role, content } = value;
  if (role === 'tool' || role === 'function' || value.tool_calls !== undefined) {
    throw unsupported(`${at}.role`, role, 'this fleet calls no tools; leave their messages out');
  }
  const known = roles.get(role);
  if (known === undefined) {
    throw invalid(`${at}.role`, role, `set it to one of ${[...roles.keys()].join(', ')}`);
  }
  return { role: known, content: readContent(content, `${at}.content`) };
}

/** Text, or OpenAI's list of parts as far as they are text. */
function readContent(value: unknown, at: string): string {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) throw invalid(at, value, 'set it to text');
  return value.map((part, index) => readPart(part, `${at}[${index}]`)).join('\n');
}

function readPart(part: unknown, at: string): string {
  if (isRecord(part) && part.type === 'text' && typeof part.text === 'string') return part.text;
  const type = isRecord(part) ? part.type : part;
  throw unsupported(at, type, 'this fleet reads text only; send parts {"type": "text", "text": …}');
}
