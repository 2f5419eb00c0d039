import { type ChatRequest, chatRequest } from '../src/chat-request.ts';
import { type ModelProfile, type ProfileInput, profileSchema } from '../src/profile.ts';

/** A streaming request of one user message. */
export function requestOf(
  content: string,
  options: Partial<Pick<ChatRequest, 'model' | 'maxTokens' | 'reasoning' | 'stream'>> = {},
): ChatRequest {
  return chatRequest({
    model: 'm',
    messages: [{ role: 'user', text: content }],
    stream: true,
    includeUsage: true,
    maxTokens: undefined,
    reasoning: undefined,
    ...options,
  });
}

type ModelInput = NonNullable<ProfileInput['models']>[number];

/** A model that answers at once, but for what is given. */
export function modelOf(options: Partial<ModelInput> = {}): ModelProfile {
  const { models } = profileSchema.parse({
    models: [
      {
        name: 'm',
        headersMs: { median: 0 },
        firstTokenMs: { median: 0 },
        tokensPerSecond: { median: 1_000_000 },
        ...options,
      },
    ],
  });
  const [model] = models;
  if (!model) throw new Error('one model was given');
  return model;
}
