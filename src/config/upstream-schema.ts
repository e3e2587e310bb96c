import { z } from 'zod';

import { NAME } from './name-schema.ts';
import { HTTP_URL, positiveInt, VARIABLE_NAME } from './schema-fields.ts';

const allowLinkLocal = z
  .boolean()
  .default(false)
  .describe(
    'Let the base URL name a link-local address or a metadata service (`169.254.169.254`, `metadata.google.internal`). These hand out credentials of the machine, so they are refused otherwise, also when a name resolves to one.',
  );

export const providerSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z
      .literal('openai')
      .describe('Anything that speaks the OpenAI API: LiteLLM, OpenAI, Ollama, vLLM, llama.cpp.'),
    base_url: HTTP_URL.optional().describe('Base URL. One without a path gets `/v1`.'),
    base_url_env: VARIABLE_NAME.optional().describe(
      'Environment variable that holds the base URL; it wins over `base_url`.',
    ),
    allow_link_local: allowLinkLocal,
    api_key_env: VARIABLE_NAME.optional().describe(
      'Environment variable that holds the key. Secrets never stand in this file.',
    ),
    requires_env: z
      .array(VARIABLE_NAME)
      .default([])
      .describe('The provider is in use only when all these variables are set.'),
  }),
  z.strictObject({
    kind: z.literal('anthropic').describe('The Anthropic API.'),
    base_url: HTTP_URL.optional().describe("Base URL; default: Anthropic's own."),
    base_url_env: VARIABLE_NAME.optional().describe('Environment variable that holds the base URL.'),
    allow_link_local: allowLinkLocal,
    api_key_env: VARIABLE_NAME.default('ANTHROPIC_API_KEY').describe(
      'Environment variable that holds the key.',
    ),
    requires_env: z
      .array(VARIABLE_NAME)
      .default([])
      .describe('The provider is in use only when all these variables are set.'),
  }),
  z.strictObject({
    kind: z
      .literal('offline')
      .describe(
        "Authored lines of the prompt (`gateway.fallback`), marked `degraded`. Never a model's answer.",
      ),
  }),
]);

const parametersSchema = z.strictObject({
  temperature: z.number().min(0).max(2).optional().describe('Randomness of the sampling.'),
  top_p: z.number().gt(0).max(1).optional().describe('Nucleus sampling: share of probability to draw from.'),
  top_k: z.int().min(1).optional().describe('Draw from this many most probable tokens.'),
  max_output_tokens: z.int().min(1).optional().describe('Longest answer, in tokens.'),
  stop: z.array(z.string().min(1)).optional().describe('Texts that end the answer.'),
  seed: z.int().optional().describe('For upstreams that can repeat an answer.'),
});

export const routeSchema = z.strictObject({
  targets: z
    .array(
      z.strictObject({
        provider: NAME.describe('Name under `providers`.'),
        model: z
          .string()
          .min(1)
          .default('auto')
          .describe(
            'Model as the upstream names it; `auto` asks the upstream for its list and takes the first.',
          ),
        model_env: VARIABLE_NAME.optional().describe('Environment variable that overrides `model`.'),
        weight: z.number().positive().default(1).describe('Share among the targets of the same order.'),
        order: z.int().min(1).default(1).describe('Lower orders are tried first; higher ones are fallbacks.'),
        parameters: parametersSchema
          .optional()
          .describe('Parameters the target gets when neither request nor prompt set them.'),
        max_concurrency: positiveInt('Most calls to this target at once.', 256, 10_000),
        max_queue: z
          .int()
          .min(0)
          .max(100_000)
          .default(512)
          .describe('Most calls that wait for a free place; one more is refused with 503 and `Retry-After`.'),
      }),
    )
    .min(1)
    .describe('What the route may call, in which order and shares.'),
  timeout: z
    .strictObject({
      total_ms: positiveInt(
        'One deadline for all tries of a call, streams included, in milliseconds.',
        60_000,
        3_600_000,
      ),
      first_token_ms: positiveInt(
        'Streams: longest wait for the first content token of one try, in milliseconds.',
        20_000,
        3_600_000,
      ),
      idle_ms: positiveInt(
        'Streams: longest silence between two events, in milliseconds.',
        15_000,
        3_600_000,
      ),
      connect_ms: positiveInt('Longest time to connect, in milliseconds.', 3_000, 600_000),
    })
    .prefault({}),
  retries: z
    .strictObject({
      attempts_per_target: z
        .int()
        .min(1)
        .max(10)
        .default(2)
        .describe('Tries at one target before the next one.'),
      max_attempts: z.int().min(1).max(20).default(3).describe('Upstream calls one request may cost in all.'),
      backoff_ms: positiveInt(
        'First wait before another try; doubles each time, with full jitter.',
        200,
        60_000,
      ),
      max_backoff_ms: positiveInt(
        'Longest wait before another try. A longer `Retry-After` moves on to the next target.',
        5_000,
        600_000,
      ),
    })
    .prefault({}),
  circuit_breaker: z
    .strictObject({
      failure_share: z
        .number()
        .positive()
        .max(1)
        .default(0.5)
        .describe('Share of failures in the window that opens the circuit.'),
      minimum_calls: positiveInt('Calls in the window before it may open.', 10, 100_000),
      window_ms: positiveInt('Length of the window, in milliseconds.', 30_000, 3_600_000),
      open_ms: positiveInt('Time until one call may try again, in milliseconds.', 10_000, 3_600_000),
    })
    .prefault({}),
});
