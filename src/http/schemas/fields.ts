import { z } from 'zod';
import type { CallerAssignment } from '../../ledger/index.ts';

/** Fields several bodies share. `null` counts as not given everywhere: many clients send absent fields so. */

const MAX_ID_CHARACTERS = 256;
const MAX_TAGS = 16;
const MAX_TAG_CHARACTERS = 64;
/** Names and versions are at most 64; a label adds its `@`. */
const MAX_NAME_CHARACTERS = 128;

export const idField = (description: string) =>
  z.string().min(1).max(MAX_ID_CHARACTERS).nullish().describe(description);

export const nameField = (description: string) =>
  z.string().min(1).max(MAX_NAME_CHARACTERS).nullish().describe(description);

export const variablesField = z
  .record(z.string(), z.unknown())
  .nullish()
  .describe("Values of the prompt's variables, checked against the version's input schema.");

/** Names inside open objects. Repeated for OpenAPI, whose generator leaves the key's schema out. */
const MAX_KEY_CHARACTERS = 128;
const keyField = z
  .string()
  .min(1, 'a name has 1 to 128 characters')
  .max(MAX_KEY_CHARACTERS, 'a name has 1 to 128 characters');
const namedKeys = { propertyNames: { minLength: 1, maxLength: MAX_KEY_CHARACTERS } };

const scalar = z.union([z.string(), z.number(), z.boolean()]);
export const profileFeaturesField = z
  .record(
    keyField,
    z.union([scalar, z.null(), z.array(z.union([scalar, z.null()])).max(1_000)], {
      error: 'must be a string, number, boolean, null or a list of these',
    }),
  )
  .nullish()
  .describe('Features of the user, as the recommender knows them. Templates read them as `profile`.')
  .meta(namedKeys);

/**
 * Names and values are checked against the policy, not here: one error then tells every fault, with the declared kinds. And
 * a schema that walks 20 candidates of 12 features takes as long as ranking them.
 */
const featuresField = z
  .custom<Readonly<Record<string, unknown>>>(
    (value) => value !== null && typeof value === 'object' && !Array.isArray(value),
    'must be an object of features',
  )
  .meta({ type: 'object', additionalProperties: {} });

export const optionalFeaturesField = (description: string) =>
  featuresField.nullish().meta({ description, type: ['object', 'null'], additionalProperties: {} });

export const metadataField = z
  .record(keyField, z.unknown())
  .nullish()
  .describe("The caller's own facts: stored with the call, never interpreted.")
  .meta(namedKeys);

export const tagsField = z
  .array(z.string().min(1).max(MAX_TAG_CHARACTERS))
  .max(MAX_TAGS)
  .nullish()
  .describe('Marks for later. The tag `test` keeps the call out of reports.');

export const timestampField = (description: string) =>
  z
    .union([z.iso.datetime({ offset: true }), z.iso.date()], {
      error: 'must be an ISO 8601 date or time with offset, for example 2026-11-23T10:00:00Z',
    })
    .nullish()
    .describe(description);

const assignmentSchema = z.strictObject({
  method: z.string().min(1).max(64).describe('How the version was chosen, for example `client_rotation`.'),
  unit: z.string().min(1).max(64).nullish().describe('What the choice is sticky by, for example `user_id`.'),
  propensity: z.number().gt(0).max(1).nullish().describe('Probability of the chosen version.'),
});

export const assignmentField = assignmentSchema
  .nullish()
  .describe('How the caller chose the version it names. Without it a named version is recorded as forced.');

export function callerAssignment(given: z.output<typeof assignmentField>): CallerAssignment | null {
  if (given == null) return null;
  return { method: given.method, unit: given.unit ?? null, propensity: given.propensity ?? null };
}
