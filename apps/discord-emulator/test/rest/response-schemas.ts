/** Discord's own OpenAPI schemas as judges of every answer of the REST API. */
import * as spec from 'discord-api-spec/zod';

interface Judge {
  safeParse(value: unknown): { success: boolean; error?: { issues: readonly unknown[] } };
}

const list = (judge: Judge): Judge => ({
  safeParse(value) {
    if (!Array.isArray(value)) return { success: false };
    const bad = value.map((one) => judge.safeParse(one)).find(({ success }) => !success);
    return bad ?? { success: true };
  },
});
const either = (...judges: readonly Judge[]): Judge => ({
  safeParse(value) {
    const results = judges.map((judge) => judge.safeParse(value));
    return results.find(({ success }) => success) ?? results[0] ?? { success: false };
  },
});

const channel = either(
  spec.GuildChannelResponseSchema,
  spec.ThreadResponseSchema,
  spec.PrivateChannelResponseSchema,
);
const command = spec.ApplicationCommandResponseSchema;
const message = spec.MessageResponseSchema;

/** Method and path, with the schema of a success. */
const judges: readonly (readonly [method: string, path: RegExp, judge: Judge])[] = [
  ['GET', /^\/gateway$/, spec.GatewayResponseSchema],
  ['GET', /^\/gateway\/bot$/, spec.GatewayBotResponseSchema],
  ['GET', /^\/users\/@me$/, spec.UserPIIResponseSchema],
  ['GET', /^\/users\/@me\/guilds$/, list(spec.MyGuildResponseSchema)],
  ['POST', /^\/users\/@me\/channels$/, spec.PrivateChannelResponseSchema],
  ['GET', /^\/users\/\d+$/, spec.UserResponseSchema],
  ['GET', /applications\/@me$/, spec.PrivateApplicationResponseSchema],
  ['GET', /^\/guilds\/\d+$/, spec.GuildWithCountsResponseSchema],
  ['GET', /^\/guilds\/\d+\/channels$/, list(spec.GuildChannelResponseSchema)],
  ['GET', /^\/guilds\/\d+\/roles$/, list(spec.GuildRoleResponseSchema)],
  ['GET', /^\/guilds\/\d+\/members$/, list(spec.GuildMemberResponseSchema)],
  ['GET', /^\/guilds\/\d+\/members\/\d+$/, spec.GuildMemberResponseSchema],
  ['GET', /^\/guilds\/\d+\/threads\/active$/, spec.ThreadsResponseSchema],
  ['GET', /^\/channels\/\d+$/, channel],
  ['PATCH', /^\/channels\/\d+$/, channel],
  ['DELETE', /^\/channels\/\d+$/, channel],
  ['POST', /\/threads$/, spec.CreatedThreadResponseSchema],
  ['GET', /^\/channels\/\d+\/messages$/, list(message)],
  ['GET', /^\/channels\/\d+\/messages\/\d+$/, message],
  ['POST', /^\/channels\/\d+\/messages$/, message],
  ['PATCH', /^\/channels\/\d+\/messages\/\d+$/, message],
  ['GET', /\/commands$/, list(command)],
  ['PUT', /\/commands$/, list(command)],
  ['POST', /\/commands$/, command],
  ['GET', /\/commands\/\d+$/, command],
  ['PATCH', /\/commands\/\d+$/, command],
  ['POST', /\/callback$/, spec.InteractionCallbackResponseSchema],
  ['POST', /^\/webhooks\/\d+\/[^/]+$/, message],
  ['GET', /^\/webhooks\/\d+\/[^/]+\/messages\/[^/]+$/, message],
  ['PATCH', /^\/webhooks\/\d+\/[^/]+\/messages\/[^/]+$/, message],
];

/** @throws Error with the schema's issues when an answer is not what Discord would send */
export function checkResponse(given: {
  readonly method: string;
  readonly path: string;
  readonly answer: { readonly status: number; readonly headers: Headers; readonly body: unknown };
}): void {
  const { method, path, answer } = given;
  const isJson = answer.headers.get('content-type')?.startsWith('application/json') === true;
  if (answer.status === 204 || !isJson) return;
  const judge = answer.status >= 400 ? errorJudge(answer.status) : successJudge(method, path);
  const result = judge.safeParse(answer.body);
  if (result.success) return;
  const issues = JSON.stringify(result.error?.issues, null, 1).slice(0, 3000);
  throw new Error(`${method} ${path} → ${answer.status} is not what Discord sends: ${issues}`);
}

function errorJudge(status: number): Judge {
  return status === 429 ? spec.RatelimitedResponseSchema : formErrors;
}

/**
 * The OpenAPI document says that the code of one field's problem is a number; Discord's own docs
 * (Reference, "Error Messages") and every answer seen have a word there, `BASE_TYPE_MAX_LENGTH`.
 */
const formErrors: Judge = {
  safeParse: (value) =>
    spec.ErrorResponseSchema.safeParse(
      JSON.parse(JSON.stringify(value), (key, one) =>
        key === 'code' && typeof one === 'string' && /^[A-Z_]+$/.test(one) ? 0 : one,
      ),
    ),
};

function successJudge(method: string, path: string): Judge {
  const [withoutQuery = ''] = path.split('?');
  const found = judges.find(([of, pattern]) => of === method && pattern.test(withoutQuery));
  if (!found) throw new Error(`no schema is named for ${method} ${path}`);
  return found[2];
}
