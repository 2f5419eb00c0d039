/** The providers' lists of models, and what else their clients ask for before they chat. */

import { hash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { anthropicDialect } from '../dialects/anthropic.ts';
import type { Dialect } from '../dialects/dialect.ts';
import { ollamaDialect } from '../dialects/ollama.ts';
import { openaiDialect } from '../dialects/openai.ts';
import type { Profile } from '../profile.ts';

/** A reply that is not a chat. */
export interface Listing {
  readonly dialect: Dialect;
  body(profile: Profile): unknown;
}

/** All models are as old as this; a moving date would make the lists differ from run to run. */
const modelsCreatedMs = Date.UTC(2026, 0, 1);

const openaiModels: Listing = {
  dialect: openaiDialect,
  body: ({ models }) => ({
    object: 'list',
    data: models.map(({ name }) => ({
      id: name,
      object: 'model',
      created: modelsCreatedMs / 1000,
      owned_by: 'starling-simulated',
    })),
  }),
};

const anthropicModels: Listing = {
  dialect: anthropicDialect,
  body: ({ models }) => ({
    data: models.map(({ name }) => ({
      type: 'model',
      id: name,
      display_name: `${name} (simulated)`,
      created_at: new Date(modelsCreatedMs).toISOString(),
    })),
    first_id: models[0]?.name,
    last_id: models.at(-1)?.name,
    has_more: false,
  }),
};

const ollamaTags: Listing = {
  dialect: ollamaDialect,
  body: ({ models }) => ({
    models: models.map(({ name }) => ({
      name,
      model: name,
      modified_at: new Date(modelsCreatedMs).toISOString(),
      size: 0,
      digest: hash('sha256', name),
      details: {
        parent_model: '',
        format: 'simulated',
        family: 'simulated',
        families: ['simulated'],
        parameter_size: '0',
        quantization_level: 'none',
      },
    })),
  }),
};

const ollamaRunning: Listing = {
  dialect: ollamaDialect,
  body: ({ models }) => ({
    models: models
      .filter(({ loaded }) => loaded)
      .map(({ name }) => ({
        name,
        model: name,
        size: 0,
        digest: hash('sha256', name),
        size_vram: 0,
      })),
  }),
};

const ollamaVersion: Listing = {
  dialect: ollamaDialect,
  body: () => ({ version: '0.0.0-simulated' }),
};

/** The listing at a path, if there is one; OpenAI and Anthropic share `/v1/models`. */
export function listingFor(path: string, headers: IncomingHttpHeaders): Listing | undefined {
  switch (path) {
    case '/v1/models':
      return headers['anthropic-version'] === undefined ? openaiModels : anthropicModels;
    case '/api/tags':
      return ollamaTags;
    case '/api/ps':
      return ollamaRunning;
    case '/api/version':
      return ollamaVersion;
    default:
      return undefined;
  }
}
