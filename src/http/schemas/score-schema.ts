import { z } from 'zod';
import { idField, metadataField, nameField, optionalFeaturesField, tagsField } from './fields.ts';

const candidateSchema = z
  .strictObject({
    id: z.string().min(1).max(256).describe("The caller's own id; unique in the call."),
    features: optionalFeaturesField('By declared name. A missing one takes its default.'),
  })
  .meta({ id: 'ScoreCandidate' });

export const scoreBodySchema = z
  .strictObject({
    candidates: z
      .array(candidateSchema)
      .describe('At least one; at most `max_candidates` of the policy (1,000 by default).'),
    policy: nameField('Policy of the configuration. Default: the only one, or the first.'),
    profile_features: optionalFeaturesField('Features of the user, as the recommender knows them.'),
    context: optionalFeaturesField('Features of the moment: place, hour, device.'),
    user_id: idField('The user, as the caller knows them. Stored as a keyed hash only.'),
    session_id: idField('The session. Stored as a keyed hash only.'),
    external_id: idField("The caller's own id of this call, stored with it."),
    metadata: metadataField,
    tags: tagsField,
  })
  .meta({
    id: 'ScoreRequest',
    example: {
      policy: 'tips',
      candidates: [
        { id: 'walk', features: { novelty: 0.9, effort: 0.2 } },
        { id: 'read', features: { novelty: 0.1, effort: 0.6 } },
      ],
      profile_features: { completion_rate: 0.4 },
      user_id: 'u1',
    },
  });

export type ScoreBody = z.output<typeof scoreBodySchema>;

export const scoreAnswerSchema = z
  .object({
    id: z.string().describe('`scr_…`: report outcomes against it; they train the policy.'),
    policy: z.string(),
    policy_revision: z.string().describe('State of the policy that decided.'),
    chosen: z
      .string()
      .describe('Id of the chosen candidate: drawn by the propensities, not always the first.'),
    ranking: z
      .array(
        z.object({
          id: z.string(),
          score: z.number().describe("Predicted reward, in the metric's own numbers."),
          propensity: z.number().describe('Probability that this one is chosen; all sum to 1.'),
        }),
      )
      .describe('Best first.'),
    ignored_features: z
      .array(z.string())
      .optional()
      .describe('Features that the policy does not read; only with `unknown_features: ignore`.'),
    recorded: z.boolean(),
    created_at: z.string(),
  })
  .meta({ id: 'ScoreAnswer' });

/** The main columns; the record holds everything that was written of the decision. */
export const storedScoreSchema = z
  .looseObject({
    id: z.string(),
    created_at: z.string(),
    policy: z.string(),
    policy_definition: z.string().describe('Hash over the definition in force.'),
    policy_revision: z.string(),
    candidates: z
      .array(
        z.object({
          id: z.string(),
          features: z.record(z.string(), z.unknown()).describe('As sent, redacted by the configuration.'),
          estimate: z.number().describe('Predicted reward on [0, 1], 1 is best.'),
          propensity: z.number(),
        }),
      )
      .describe('In the order of the request.'),
    chosen: z.string(),
    chosen_propensity: z.number(),
    outcomes: z.array(
      z.looseObject({
        outcome_id: z.string(),
        metric: z.string(),
        reward: z.number(),
        counts: z.boolean(),
      }),
    ),
  })
  .meta({ id: 'Score' });

const policyState = {
  policy: z.string(),
  kind: z.enum(['squarecb', 'uniform']),
  metric: z.string(),
  definition: z.string().describe('Hash over the definition in force.'),
  policy_revision: z.string().describe('What decisions are recorded with; one more at every change.'),
  computed_at: z.string(),
  rewards: z.number().describe('Rewards that it has learnt from.'),
  weight: z.number().describe('What is left of them after discounting; the same without it.'),
};

export const policyListSchema = z
  .object({ policies: z.array(z.object(policyState)).describe('In the order of the configuration.') })
  .meta({ id: 'PolicyList' });

export const policySchema = z
  .object({
    ...policyState,
    optimize: z.enum(['max', 'min']),
    features: z.array(
      z.looseObject({
        name: z.string(),
        source: z.enum(['candidate', 'profile', 'context']),
        type: z.enum(['number', 'boolean', 'category']),
      }),
    ),
    interactions: z.array(z.array(z.string())),
    unknown_features: z.enum(['refuse', 'ignore']),
    gamma_scale: z.number().optional(),
    gamma_exponent: z.number().optional(),
    floor_share: z.number().optional(),
    ridge_lambda: z.number(),
    discount: z.number(),
    update_interval_seconds: z.number(),
    max_candidates: z.number(),
    learnt: z
      .array(z.object({ input: z.string(), coefficient: z.number() }))
      .describe(
        'What each input adds to the predicted reward when it goes from 0 to 1, on the scale where 1 is the best reward there is; all 0 before the first reward.',
      ),
  })
  .meta({ id: 'Policy' });
