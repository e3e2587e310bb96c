import { type Fault, listNames, nearestName } from '../kernel/index.ts';
import type { FeatureDefinition, FeatureSource, FeatureSources, ScorePolicy } from './ranking-types.ts';

type Values = Readonly<Record<string, unknown>>;

/** Collects what is wrong with a request, or what of it is left out. */
export interface FeatureFindings {
  readonly fault: (found: Fault) => void;
  /** Path of a feature, or of a category's value, that the policy does not know and may ignore. */
  readonly ignored: (path: string) => void;
}

/** Turns features into the inputs of the regression: always the same number of them, each within [0, 1]. */
export interface FeatureEncoder {
  /** Length of what `inputs` gives. */
  readonly dimension: number;
  /** What each input stands for, in order: `constant`, `novelty`, `category=sleep`, `effort × completion_rate`. */
  readonly names: readonly string[];
  /** The features of one source, each as its inputs. Reports every value that does not fit. */
  read(
    source: FeatureSource,
    values: Values | null,
    path: string,
    findings: FeatureFindings,
  ): EncodedFeatures;
  /** All inputs of one candidate. */
  inputs(candidate: EncodedFeatures, profile: EncodedFeatures, context: EncodedFeatures): readonly number[];
  /**
   * The same from a stored decision: what does not fit (redacted since, or declared otherwise then) counts as missing.
   */
  inputsOf(sources: FeatureSources): readonly number[];
}

/** Inputs of the features of one source, in their order. */
export type EncodedFeatures = readonly (readonly number[])[];

/** At most this much of a value is repeated in a message. */
const MAX_SHOWN_CHARACTERS = 40;

const LENIENT: FeatureFindings = { fault: () => {}, ignored: () => {} };

/**
 * Inputs: a constant 1, each feature in declared order, then each interaction. A number is scaled from its range to
 * [0, 1] and cut, a boolean is 0 or 1, a category has one input per value; an interaction is every product of an input
 * of the one with an input of the other.
 */
function featureEncoder(policy: ScorePolicy): FeatureEncoder {
  const bySource = {
    candidate: featuresOf(policy.features, 'candidate'),
    profile: featuresOf(policy.features, 'profile'),
    context: featuresOf(policy.features, 'context'),
  };
  const places = [...bySource.candidate, ...bySource.profile, ...bySource.context];
  const position = new Map(places.map((feature, index) => [feature.name, index]));
  const products = policy.interactions.map(([a, b]) => [position.get(a) ?? 0, position.get(b) ?? 0] as const);
  const names = namesOf(places, products);

  const read: FeatureEncoder['read'] = (source, values, path, findings) => {
    const features = bySource[source];
    if (values !== null) reportUnknown(values, features, path, policy.unknownFeatures, findings);
    return features.map((feature) => encoded(feature, values, path, policy.unknownFeatures, findings));
  };

  const inputs: FeatureEncoder['inputs'] = (candidate, profile, context) => {
    const blocks = [...candidate, ...profile, ...context];
    const row: number[] = [1];
    for (const block of blocks) for (const input of block) row.push(input);
    for (const [a, b] of products) {
      for (const left of blocks[a] ?? []) for (const right of blocks[b] ?? []) row.push(left * right);
    }
    return row;
  };

  return {
    dimension: names.length,
    names,
    read,
    inputs,
    inputsOf: ({ candidate, profile, context }) =>
      inputs(
        read('candidate', candidate, '', LENIENT),
        read('profile', profile, '', LENIENT),
        read('context', context, '', LENIENT),
      ),
  };
}

/** One per definition: a policy is immutable, so its encoder is too. */
const encoders = new WeakMap<ScorePolicy, FeatureEncoder>();

export function encoderOf(policy: ScorePolicy): FeatureEncoder {
  let encoder = encoders.get(policy);
  if (encoder === undefined) {
    encoder = featureEncoder(policy);
    encoders.set(policy, encoder);
  }
  return encoder;
}

/** What each coefficient of a policy belongs to, in order: `constant`, `novelty`, `effort × completion_rate`. */
export function inputNames(policy: ScorePolicy): readonly string[] {
  return encoderOf(policy).names;
}

function featuresOf(
  features: readonly FeatureDefinition[],
  source: FeatureSource,
): readonly FeatureDefinition[] {
  return features.filter((feature) => feature.source === source);
}

function namesOf(
  features: readonly FeatureDefinition[],
  products: readonly (readonly [number, number])[],
): readonly string[] {
  const blocks = features.map((feature) =>
    feature.kind === 'category' ? feature.values.map((value) => `${feature.name}=${value}`) : [feature.name],
  );
  return [
    'constant',
    ...blocks.flat(),
    ...products.flatMap(([a, b]) =>
      (blocks[a] ?? []).flatMap((left) => (blocks[b] ?? []).map((right) => `${left} × ${right}`)),
    ),
  ];
}

function reportUnknown(
  values: Values,
  features: readonly FeatureDefinition[],
  path: string,
  mode: ScorePolicy['unknownFeatures'],
  findings: FeatureFindings,
): void {
  for (const name of Object.keys(values)) {
    if (features.some((feature) => feature.name === name)) continue;
    const place = `${path}.${shown(name)}`;
    if (mode === 'ignore') {
      findings.ignored(place);
      continue;
    }
    const known = features.map((feature) => feature.name);
    const nearest = nearestName(name, known);
    const hint = nearest === null ? `; declared: ${listNames(known)}` : ` (did you mean "${nearest}"?)`;
    findings.fault({ path: place, message: `is no feature of the policy${hint}` });
  }
}

/** Null counts as missing, as a profile without history sends it. */
function encoded(
  feature: FeatureDefinition,
  values: Values | null,
  path: string,
  mode: ScorePolicy['unknownFeatures'],
  { fault, ignored }: FeatureFindings,
): readonly number[] {
  const value = values !== null && Object.hasOwn(values, feature.name) ? values[feature.name] : null;
  const isMissing = value === null || value === undefined;
  const place = `${path}.${feature.name}`;
  switch (feature.kind) {
    case 'number': {
      if (!isMissing && !(typeof value === 'number' && Number.isFinite(value))) {
        fault({ path: place, message: `must be a number, ${article(value)}` });
      }
      const number = typeof value === 'number' && Number.isFinite(value) ? value : feature.default;
      return [Math.min(1, Math.max(0, (number - feature.min) / (feature.max - feature.min)))];
    }
    case 'boolean': {
      if (!isMissing && typeof value !== 'boolean') {
        fault({ path: place, message: `must be true or false, ${article(value)}` });
      }
      return [(typeof value === 'boolean' ? value : feature.default) ? 1 : 0];
    }
    case 'category': {
      let category = feature.default;
      if (typeof value === 'string') {
        category = value;
        if (!feature.values.includes(value)) {
          const nearest = nearestName(value, feature.values);
          const hint = nearest === null ? '' : ` (did you mean "${nearest}"?)`;
          if (mode === 'ignore') ignored(`${place}=${shown(value)}`);
          else
            fault({
              path: place,
              message: `must be one of ${listNames(feature.values)}, got "${shown(value)}"${hint}`,
            });
        }
      } else if (!isMissing) {
        fault({ path: place, message: `must be one of ${listNames(feature.values)}, ${article(value)}` });
      }
      return feature.values.map((known) => (known === category ? 1 : 0));
    }
    default:
      return feature satisfies never;
  }
}

function article(value: unknown): string {
  if (typeof value === 'number') return `got ${value}`;
  if (Array.isArray(value)) return 'got an array';
  if (typeof value === 'object') return 'got an object';
  return typeof value === 'string' ? `got the text "${shown(value)}"` : `got ${String(value)}`;
}

function shown(text: string): string {
  return text.length > MAX_SHOWN_CHARACTERS ? `${text.slice(0, MAX_SHOWN_CHARACTERS)}…` : text;
}
