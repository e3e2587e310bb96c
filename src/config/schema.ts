import { z } from 'zod';

import { experimentsSchema } from './experiment-schema.ts';
import { NAME } from './name-schema.ts';
import { policiesSchema } from './policy-schema.ts';
import { retentionSchema } from './retention-schema.ts';
import { rolloutGatesSchema } from './rollout-schema.ts';
import { positiveInt, VARIABLE_NAME } from './schema-fields.ts';
import { shadowSchema } from './shadow-schema.ts';
import { providerSchema, routeSchema } from './upstream-schema.ts';

/**
 * `gateway.config.json`, as written. Units are in the keys, defaults beside the description that becomes
 * `docs/config.md` and the JSON Schema. Unknown keys are errors everywhere.
 */

const serverSchema = z
  .strictObject({
    host: z
      .string()
      .min(1)
      .default('127.0.0.1')
      .describe(
        'Address to listen on. Only loopback is allowed while there are no API keys. `HOST` overrides it.',
      ),
    port: z
      .int()
      .min(0)
      .max(65_535)
      .default(8787)
      .describe('Port to listen on; 0 takes a free one. `PORT` overrides it.'),
    allowed_hosts: z
      .array(z.string().min(1))
      .default([])
      .describe(
        'Further values of the `Host` header to accept, without port. Loopback names are always accepted. Keeps web pages from reaching an open gateway by DNS rebinding.',
      ),
    trusted_proxies: z
      .array(z.string().min(1))
      .default([])
      .describe(
        'Addresses and networks (`10.0.0.7`, `10.0.0.0/8`, `fd00::/8`) of proxies in front whose `X-Forwarded-For` names the caller. Wrong keys are counted by that address.',
      ),
    max_wrong_keys_per_minute: positiveInt(
      'Wrong keys and sign-in links that one address may present within a minute. After them only keys that came in from there before are looked at, until the minute is over; all others get 429.',
      20,
      1_000_000,
    ),
    max_body_bytes: positiveInt('Largest request body after decompression, in bytes.', 1_048_576, 67_108_864),
    max_json_depth: positiveInt('Deepest nesting of a JSON body, checked before it is parsed.', 64, 1_000),
    public_metrics: z
      .boolean()
      .default(false)
      .describe('Answer `/metrics` without a key although the gateway has keys.'),
    drain_delay_ms: z
      .int()
      .min(0)
      .max(60_000)
      .default(0)
      .describe(
        'On SIGTERM: how long `/readyz` already answers 503 before the listener closes, in milliseconds.',
      ),
    drain_timeout_ms: positiveInt(
      'On SIGTERM: how long running calls and streams may take to end, in milliseconds.',
      25_000,
      600_000,
    ),
  })
  .prefault({});

const LABEL_NAME = z
  .string()
  .regex(
    /^(?!latest$)[a-z0-9][a-z0-9._-]{0,63}$/,
    'a label has 1 to 64 of a-z 0-9 . _ - without the @, starts with a letter or digit, and is not "latest"',
  );

const VERSION_OR_EXPERIMENT = 'must be a version ("v1"), {"version": "v1"} or {"experiment": "tone"}';
const labelsSchema = z
  .record(
    NAME,
    z.record(
      LABEL_NAME,
      z.union([NAME, z.strictObject({ version: NAME }), z.strictObject({ experiment: NAME })], {
        error: VERSION_OR_EXPERIMENT,
      }),
    ),
  )
  .default({})
  .describe(
    'First values of labels, by prompt and label: a version (`"v1"` or `{"version": "v1"}`) or `{"experiment": "tone"}`. They count only where a label has never been set: a label that was moved stays where it is (labels.md). Example: `{"tip": {"live": "v1"}}`.',
  );

const promptsSchema = z
  .strictObject({
    directory: z
      .string()
      .min(1)
      .default('prompts')
      .describe('Folder of the prompt files, relative to this file.'),
    default: NAME.default('tip').describe('Prompt of a `POST /generate` that names none.'),
    watch: z
      .boolean()
      .default(true)
      .describe('Reload prompts when their files change (SIGHUP always reloads).'),
    strict: z
      .boolean()
      .default(false)
      .describe('Treat warnings of the load (unused variables, differing input contracts) as errors.'),
    max_source_bytes: positiveInt('Largest prompt file, in bytes.', 65_536, 1_048_576),
    max_mustaches: positiveInt('Most template expressions in one file.', 500, 5_000),
    max_loop_steps: positiveInt('Most loop steps in one render.', 10_000, 1_000_000),
    max_output_bytes: positiveInt('Largest rendered prompt, in bytes.', 65_536, 4_194_304),
    settings: z
      .record(
        NAME,
        z.strictObject({
          primary_metric: NAME.optional().describe(
            'Metric of the report and of `tip_scores` when none is named. Default: the first metric.',
          ),
          baseline: z
            .string()
            .min(1)
            .optional()
            .describe('Version the others are compared with. Default: `v1`.'),
        }),
      )
      .default({})
      .describe('Settings by prompt name.'),
  })
  .prefault({});

const metricBase = {
  description: z.string().optional().describe('For people.'),
  optimize: z.enum(['max', 'min']).default('max').describe('Which direction is better.'),
  attribution_window_hours: z
    .number()
    .positive()
    .max(8_760)
    .default(168)
    .describe('An outcome counts when it occurred within this time after its generation, in hours.'),
  missing: z
    .enum(['exclude', 'zero'])
    .default('exclude')
    .describe(
      'A generation without outcome: `exclude` counts observed rewards only; `zero` counts it as 0 once its window has closed.',
    ),
};

const metricSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('boolean'), ...metricBase }),
  z.strictObject({
    type: z.literal('float'),
    min: z.number().describe('Smallest value.'),
    max: z.number().describe('Largest value.'),
    ...metricBase,
  }),
  z.strictObject({
    type: z.literal('categorical'),
    values: z.record(z.string().min(1).max(64), z.number()).describe('Reward of each category.'),
    ...metricBase,
  }),
]);

const ledgerSchema = z
  .strictObject({
    database_url: z
      .string()
      .default('sqlite:data/gateway.db')
      .describe('`sqlite:PATH`, relative to this file. `DATABASE_URL` overrides it.'),
    durability: z
      .enum(['commit', 'flush'])
      .default('commit')
      .describe(
        '`commit`: acknowledged after the commit is synced to disk. `flush`: after the commit; a power cut may take the last ones.',
      ),
    on_failure: z
      .enum(['fail', 'serve'])
      .default('fail')
      .describe(
        'When a generation cannot be written: `fail` answers 503; `serve` answers with `"recorded": false`.',
      ),
    max_queued_writes: positiveInt(
      'Writes that may wait for the disk; one more is refused with 503.',
      20_000,
      1_000_000,
    ),
    store_text: z
      .boolean()
      .default(true)
      .describe(
        'Keep generated text in the ledger. Answers to an `Idempotency-Key` are kept until the key expires either way.',
      ),
    redact: z
      .array(z.string().min(1))
      .default([])
      .describe(
        'Paths below `variables`, `profile_features`, `metadata`, and for ranking `features` (of candidates) and `context`, whose values are replaced by `[redacted]` before anything is stored, for example `variables.email`; `*` stands for one step.',
      ),
    unit_hash_key_env: VARIABLE_NAME.optional().describe(
      'Environment variable with the key of the unit hash. Default: a key made at the first start and kept in the database.',
    ),
    idempotency_ttl_hours: positiveInt(
      'How long a completed `Idempotency-Key` is answered from the ledger, in hours.',
      24,
      8_760,
    ),
    retention: retentionSchema,
  })
  .prefault({});

export const configSchema = z
  .strictObject({
    $schema: z.string().optional().describe('Lets editors check this file.'),
    server: serverSchema.describe('The HTTP server.'),
    prompts: promptsSchema.describe('The prompt registry.'),
    labels: labelsSchema,
    metrics: z
      .record(NAME, metricSchema)
      .default({
        completed: { type: 'boolean', optimize: 'max', attribution_window_hours: 168, missing: 'exclude' },
      })
      .describe('What can be reported about a generation.'),
    experiments: experimentsSchema,
    policies: policiesSchema,
    rollout_gates: rolloutGatesSchema.describe(
      'What has to be shown in shadow before something new reaches users, and the exceptions (rollout.md).',
    ),
    shadow: shadowSchema,
    providers: z.record(NAME, providerSchema).describe('Upstream LLM APIs by name.'),
    routes: z.record(NAME, routeSchema).describe('Named lists of targets.'),
    watch_config: z
      .boolean()
      .default(true)
      .describe(
        'Bring `experiments`, `policies`, `shadow` and `rollout_gates` into force when this file changes (SIGHUP always does). Everything else is read at the start.',
      ),
    default_route: NAME.default('default').describe('Route of a call that names none.'),
    network: z
      .strictObject({
        ca_files: z
          .array(z.string().min(1))
          .default([])
          .describe('Further certificate authorities (PEM files) for upstream connections.'),
        max_response_bytes: positiveInt('Largest upstream answer, in bytes.', 8_388_608, 134_217_728),
      })
      .prefault({})
      .describe('Connections to upstreams. `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` are honoured.'),
    ledger: ledgerSchema.describe('What is stored, and how safely.'),
    log: z
      .strictObject({
        level: z
          .enum(['silent', 'error', 'warn', 'info', 'debug'])
          .default('info')
          .describe('`LOG_LEVEL` overrides it.'),
      })
      .prefault({})
      .describe('The log on standard output.'),
  })
  .describe('Configuration of the prompt gateway.');

/** The file after defaults. Frozen. */
export type GatewayConfig = z.output<typeof configSchema>;
export type MetricConfig = GatewayConfig['metrics'][string];
export type ProviderConfig = GatewayConfig['providers'][string];
export type RouteConfig = GatewayConfig['routes'][string];
