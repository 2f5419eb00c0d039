import { field } from '../parse.ts';

/** How the result of an ephemeral job reaches the ingress that holds its caller. */
export const deliverySection = {
  resultTimeoutMs: field.integer('STARLING_RESULT_TIMEOUT_MS', {
    default: 2_000,
    min: 100,
    max: 60_000,
    unit: 'milliseconds',
    doc: 'How long an ingress may take to say that it has a result before it is sent again.',
  }),
  resultRetryForMs: field.integer('STARLING_RESULT_RETRY_FOR_MS', {
    default: 5_000,
    min: 100,
    max: 60_000,
    unit: 'milliseconds',
    doc: 'How long a result is sent again while its ingress is away. Longer survives a slow one and holds a slot of the worker meanwhile; its callers are gone anyway when it died.',
  }),
} as const;
