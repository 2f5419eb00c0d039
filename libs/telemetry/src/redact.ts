/**
 * Keeps secrets out of logs and spans. Two nets: the exact values that the process was given, and
 * the shapes that bot tokens and provider keys have in headers, addresses and JSON.
 */

const mask = '[redacted]';

/** Secrets a process may register. Beyond it registering throws: a start-up error, not a leak. */
const maxSecrets = 64;

/** A shorter value is not searched for: it would mask ordinary text everywhere. */
const minSecretLength = 8;

const registered = new Set<string>();

/** Names whose whole value is a secret. `promptTokens` and its like are numbers, and stay. */
const secretName =
  /^(?:authorization|proxy-authorization|cookie|set-cookie|x-api-key|password|secret|(?:discord_?|bot_?|access_?|interaction_?|webhook_?)?token|(?:openai_?|openrouter_?|anthropic_?)?api_?key)$/i;

const shapes: readonly (readonly [RegExp, string])[] = [
  // discord.com/developers/docs/reference#authentication
  [/\b(Bot|Bearer|Basic)\s+[\w.~+/=-]{16,}/gi, `$1 ${mask}`],
  // A Discord bot token: base64 of the application id, a stamp, an HMAC.
  [/\b[\w-]{23,28}\.[\w-]{6,7}\.[\w-]{27,}/g, mask],
  // Interaction and webhook tokens stand in the path.
  [/(\/(?:webhooks|interactions)\/\d{17,20}\/)[\w-]{16,}/g, `$1${mask}`],
  // Keys of providers: sk-…, sk-or-v1-…, sk-ant-…
  [/\bsk-[\w-]{16,}/g, mask],
  // key=…, token: …, "api_key": "…"
  [
    /((?:authorization|password|secret|(?:bot|access)[_-]?token|\btoken|api[_-]?key|\bkey)["']?\s*[=:]\s*["']?)(?!(?:Bot|Bearer|Basic)\b)[^\s"'&,;}[]{8,}/gi,
    `$1${mask}`,
  ],
  // Credentials of an address: nats://user:password@host
  [/(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi, `$1${mask}@`],
];

/**
 * From now on `value` is masked wherever it would be written. A value under 8 characters is left to
 * the shapes, since masking it would shred ordinary text.
 * @throws {RangeError} beyond 64 secrets
 */
export function registerSecret(value: string): void {
  if (value.length < minSecretLength) return;
  const forms = [value, encodeURIComponent(value), Buffer.from(value).toString('base64')];
  if (!registered.has(value) && registered.size + forms.length > maxSecrets * forms.length) {
    throw new RangeError(`more than ${maxSecrets} secrets were registered`);
  }
  for (const form of forms) registered.add(form);
}

/** A sign that every one of the shapes has: ids, names of models and the like have none of them. */
const suspicious = /[\s./=:]|sk-/i;

/** The text without secrets. */
export function redact(text: string): string {
  let clean = text;
  if (text.length >= minSecretLength) {
    for (const secret of registered) {
      if (clean.includes(secret)) clean = clean.replaceAll(secret, mask);
    }
  }
  if (!suspicious.test(clean)) return clean;
  for (const [shape, replacement] of shapes) clean = clean.replace(shape, replacement);
  return clean;
}

/** The value under this name without secrets: everything when the name says that it is one. */
export function redactNamed(name: string, value: string): string {
  return isSecretName(name) ? mask : redact(value);
}

/** What was found of names so far; they are few, and come again with every span. */
const knownNames = new Map<string, boolean>();
/** Names that are remembered; beyond it a name is looked at each time. */
const maxKnownNames = 1_000;

/** Whether anything under this name is a secret whole. */
export function isSecretName(name: string): boolean {
  const known = knownNames.get(name);
  if (known !== undefined) return known;
  const secret = secretName.test(name);
  if (knownNames.size < maxKnownNames) knownNames.set(name, secret);
  return secret;
}
