import { z } from 'zod';

import { NAME } from './name-schema.ts';
import { positiveInt } from './schema-fields.ts';

/** Also the key in a request, so both spellings that JSON knows are allowed. */
const FEATURE_NAME = z
  .string()
  .regex(
    /^[A-Za-z][A-Za-z0-9_]{0,63}$/,
    'a feature has 1 to 64 of A-Z a-z 0-9 _ and starts with a letter (it is the key in the request)',
  );

/** One text: the reference lists the key once for the three types. */
const DEFAULT_TEXT =
  'Value of a request that lacks the feature or says null. Default: the middle of the range, false, or none of the values.';

const featureSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('number').describe('Scaled from its range to 0 to 1.'),
    min: z.number().describe('Becomes 0; smaller values are cut to it.'),
    max: z.number().describe('Becomes 1; greater values are cut to it.'),
    default: z.number().optional().describe(DEFAULT_TEXT),
  }),
  z.strictObject({
    type: z.literal('boolean').describe('1 or 0.'),
    default: z.boolean().default(false).describe(DEFAULT_TEXT),
  }),
  z.strictObject({
    type: z.literal('category').describe('One input per value.'),
    values: z.array(z.string().min(1).max(64)).describe('Every value there is; each becomes one input.'),
    default: z.string().optional().describe(DEFAULT_TEXT),
  }),
]);

const featuresSchema = z
  .strictObject({
    candidate: z
      .record(FEATURE_NAME, featureSchema)
      .default({})
      .describe('What tells candidates apart: `candidates[].features` of the request.'),
    profile: z
      .record(FEATURE_NAME, featureSchema)
      .default({})
      .describe('About the user: `profile_features` of the request.'),
    context: z
      .record(FEATURE_NAME, featureSchema)
      .default({})
      .describe('About the moment: `context` of the request.'),
  })
  .prefault({})
  .describe(
    'What the policy reads, by source and name; a name is used once over all three. Each is a `number` with a range, a `boolean` or a `category` with its values.',
  );

const learning = {
  metric: NAME.optional().describe('What it learns from. Default: the primary metric of the default prompt.'),
  features: featuresSchema,
  interactions: z
    .array(z.tuple([FEATURE_NAME, FEATURE_NAME]))
    .default([])
    .describe(
      'Pairs of features whose products are inputs too, for example `[["effort", "completion_rate"]]`: without them a user feature shifts all candidates alike and cannot change a ranking. At least one of a pair belongs to the candidate; a number may be paired with itself.',
    ),
  unknown_features: z
    .enum(['refuse', 'ignore'])
    .default('refuse')
    .describe(
      'A feature, or a value of a category, that is not declared: `refuse` answers 422 and names it; `ignore` leaves it out and lists it in the answer.',
    ),
  ridge_lambda: z
    .number()
    .min(0.001)
    .max(1_000_000)
    .default(1)
    .describe('Penalty of the ridge regression: about this many rewards say "nothing matters" at first.'),
  discount: z
    .number()
    .min(0.5)
    .max(1)
    .default(1)
    .describe(
      'What earlier rewards are worth after each update that brought new ones; 1 forgets nothing. 0.99 follows users whose taste drifts.',
    ),
  update_interval_seconds: z
    .int()
    .min(1)
    .max(86_400)
    .default(60)
    .describe('How often it learns from new rewards, in seconds.'),
  max_candidates: positiveInt('Most candidates of one request.', 1_000, 10_000),
};

export const policiesSchema = z
  .record(
    NAME,
    z.discriminatedUnion('kind', [
      z.strictObject({
        kind: z
          .literal('squarecb')
          .describe(
            'Mostly the candidate with the best predicted reward, the others the rarer the worse they are predicted to be (SquareCB over ridge regression).',
          ),
        ...learning,
        gamma_scale: z
          .number()
          .positive()
          .max(1_000_000)
          .default(10)
          .describe(
            'How sharply it prefers the best: gamma = gamma_scale × t^gamma_exponent, with t the rewards learnt from plus one.',
          ),
        gamma_exponent: z.number().min(0).max(1).default(0.5).describe('How fast the preference sharpens.'),
        floor_share: z
          .number()
          .min(0.001)
          .max(1)
          .default(0.1)
          .describe(
            'Share of the choices that is spread over all candidates evenly, for ever: none of K candidates has a probability below floor_share / K.',
          ),
      }),
      z.strictObject({
        kind: z
          .literal('uniform')
          .describe('Every candidate with the same probability. Learns all the same, for its scores.'),
        ...learning,
      }),
    ]),
  )
  .default({})
  .describe(
    'Rules that rank the candidates of `POST /score`, by name (score.md). A request that names none gets the first one.',
  );
