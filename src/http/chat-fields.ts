import { AppError, type Fault } from '../kernel/index.ts';
import { chatBodySchema } from './schemas/chat-schema.ts';

/**
 * Fields that steer a proxy behind us (LiteLLM and its like) rather than the model: where it connects, with which
 * secret, what it falls back to, what it pretends. A caller must not reach past the configuration with them.
 */
const REFUSED_FIELDS: ReadonlySet<string> = new Set([
  'api_base',
  'api_key',
  'api_type',
  'api_version',
  'azure_ad_token',
  'base_url',
  'cache',
  'client',
  'configurable_clientside_auth_params',
  'context_window_fallbacks',
  'content_policy_fallbacks',
  'custom_llm_provider',
  'default_headers',
  'deployment_id',
  'disable_fallbacks',
  'drop_params',
  'extra_body',
  'extra_headers',
  'extra_query',
  'fallbacks',
  'guardrails',
  'headers',
  'http_client',
  'max_retries',
  'model_list',
  'num_retries',
  'organization',
  'project',
  'proxy',
  'region_name',
  'request_timeout',
  'router_settings_override',
  'ssl_verify',
  'timeout',
  'use_in_pass_through',
  'user_config',
]);
const REFUSED_PREFIX = /^(?:litellm|mock|aws|azure|vertex|watsonx|sagemaker|s3|gateway)_|_cost_per_|^no-/i;

/** The fields of a body that are passed on as they are. Fails with `invalid_request`, naming every refused one. */
export function extraChatFields(body: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const known = chatBodySchema.shape;
  const extra = Object.entries(body).filter(([name]) => !Object.hasOwn(known, name));
  const refused: Fault[] = extra
    .filter(([name]) => REFUSED_FIELDS.has(name.toLowerCase()) || REFUSED_PREFIX.test(name))
    .map(([name]) => ({
      path: name.slice(0, 64),
      message: 'is not accepted from callers: it would steer the upstream, which is configured here',
    }));
  if (refused.length > 0)
    throw new AppError('invalid_request', 'The body is not valid.', { faults: refused });
  return Object.fromEntries(extra);
}
