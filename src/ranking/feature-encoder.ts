import { type Fault, listNames, nearestName } from '../kernel/index.ts';
import type { FeatureDefinition, FeatureSource, FeatureSources, ScorePolicy } from './ranking-types.ts';

type Values = Readonly<Record<string, unknown>>;

/** Collects what is wrong with a request, or what of it is left out. */
export interface FeatureFindings {
  /** Asked for only while there is room: looking for what may have been meant takes time, and a body holds many names. */
  readonly fault: (find: () => Fault) => void;
  /** Path of a feature, or of a category's value, that the policy does not know and may ignore. */
  readonly ignored: (path: string) => void;
}

/** Turns features into the inputs of the regression: always the same number of them, each within [0, 1]. */
export interface FeatureEncoder {
  /** Length of what `inputs` gives. */
  readonly dimension: number;
  /** What each input stands for, in order: `constant`, `novelty`, `category=sleep`, `effort × completion_rate`. */
  readonly names: readonly string[];
  /** The inputs of one source. Reports every value that does not fit; `path` of the source is asked for only then. */
  read(
    source: FeatureSource,
    values: Values | null,
    path: () => string,
    findings: FeatureFindings,
  ): readonly number[];
  /** All inputs of one candidate, from those of the three sources. */
  inputs(
    candidate: readonly number[],
    profile: readonly number[],
    context: readonly number[],
  ): readonly number[];
  /**
   * The same from a stored decision: what does not fit (redacted since, or declared otherwise then) counts as missing.
   */
  inputsOf(sources: FeatureSources): readonly number[];
}

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
    candidate: sourceOf(policy.features, 'candidate'),
    profile: sourceOf(policy.features, 'profile'),
    context: sourceOf(policy.features, 'context'),
  };
  const blocks = blocksOf([
    ...bySource.candidate.features,
    ...bySource.profile.features,
    ...bySource.context.features,
  ]);
  const own = [...blocks.values()].flat();
  const products = policy.interactions.flatMap(([a, b]) =>
    (blocks.get(a) ?? []).flatMap((left) => (blocks.get(b) ?? []).map((right) => ({ left, right }))),
  );
  const names = [
    'constant',
    ...own.map(({ name }) => name),
    ...products.map(({ left, right }) => `${left.name} × ${right.name}`),
  ];

  const read: FeatureEncoder['read'] = (source, values, path, findings) => {
    const { features, names: known, width } = bySource[source];
    // Of its final length at once, here and below: rows are made for every candidate, and growing makes each several times.
    const row = new Array<number>(width);
    let at = 0;
    if (values !== null) {
      for (const name of Object.keys(values)) {
        if (!known.has(name)) reportUnknown(name, [...known], path(), policy.unknownFeatures, findings);
      }
    }
    for (const feature of features) {
      const isSent = values !== null && Object.hasOwn(values, feature.name);
      const value = isSent ? (values[feature.name] ?? null) : null;
      if (!fits(feature, value)) reportValue(feature, value, path(), policy.unknownFeatures, findings);
      at = encode(feature, value, row, at);
    }
    return row;
  };

  const inputs: FeatureEncoder['inputs'] = (candidate, profile, context) => {
    const row = new Array<number>(names.length);
    row[0] = 1;
    let at = 1;
    for (const input of candidate) row[at++] = input;
    for (const input of profile) row[at++] = input;
    for (const input of context) row[at++] = input;
    for (const { left, right } of products) row[at++] = (row[left.at] ?? 0) * (row[right.at] ?? 0);
    return row;
  };

  const leniently = (source: FeatureSource, values: Values | null): readonly number[] =>
    read(source, values, () => '', LENIENT);
  return {
    dimension: names.length,
    names,
    read,
    inputs,
    inputsOf: ({ candidate, profile, context }) =>
      inputs(leniently('candidate', candidate), leniently('profile', profile), leniently('context', context)),
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

function sourceOf(all: readonly FeatureDefinition[], source: FeatureSource): SourceFeatures {
  const features = all.filter((feature) => feature.source === source);
  return {
    features,
    names: new Set(features.map(({ name }) => name)),
    width: features.reduce((sum, feature) => sum + inputNamesOf(feature).length, 0),
  };
}

interface SourceFeatures {
  readonly features: readonly FeatureDefinition[];
  readonly names: ReadonlySet<string>;
  /** Inputs of all of them. */
  readonly width: number;
}

function inputNamesOf(feature: FeatureDefinition): readonly string[] {
  return feature.kind === 'category'
    ? feature.values.map((value) => `${feature.name}=${value}`)
    : [feature.name];
}

interface InputPlace {
  readonly name: string;
  /** Position among all inputs; the constant has 0. */
  readonly at: number;
}

/** The inputs of every feature. */
function blocksOf(features: readonly FeatureDefinition[]): ReadonlyMap<string, readonly InputPlace[]> {
  let at = 1;
  return new Map(
    features.map((feature) => {
      const places = inputNamesOf(feature).map((name) => {
        const place = { name, at };
        at += 1;
        return place;
      });
      return [feature.name, places] as const;
    }),
  );
}

/** Null counts as missing, as a profile without history sends it. */
function fits(feature: FeatureDefinition, value: unknown): boolean {
  if (value === null) return true;
  switch (feature.kind) {
    case 'number':
      return typeof value === 'number' && Number.isFinite(value);
    case 'boolean':
      return typeof value === 'boolean';
    case 'category':
      return typeof value === 'string' && feature.values.includes(value);
    default:
      return feature satisfies never;
  }
}

/**
 * Writes the inputs of one feature from `at` on; returns where the next one begins. What does not fit counts as missing; a
 * text that is none of the values as none of them.
 */
function encode(feature: FeatureDefinition, value: unknown, row: number[], at: number): number {
  switch (feature.kind) {
    case 'number': {
      const number = typeof value === 'number' && Number.isFinite(value) ? value : feature.default;
      row[at] = Math.min(1, Math.max(0, (number - feature.min) / (feature.max - feature.min)));
      return at + 1;
    }
    case 'boolean':
      row[at] = (typeof value === 'boolean' ? value : feature.default) ? 1 : 0;
      return at + 1;
    case 'category': {
      const category = typeof value === 'string' ? value : feature.default;
      let next = at;
      for (const known of feature.values) row[next++] = known === category ? 1 : 0;
      return next;
    }
    default:
      return feature satisfies never;
  }
}

function reportUnknown(
  name: string,
  known: readonly string[],
  path: string,
  mode: ScorePolicy['unknownFeatures'],
  { fault, ignored }: FeatureFindings,
): void {
  const place = `${path}.${shown(name)}`;
  if (mode === 'ignore') {
    ignored(place);
    return;
  }
  fault(() => {
    const nearest = nearestName(name, known);
    const hint = nearest === null ? `; declared: ${listNames(known)}` : ` (did you mean "${nearest}"?)`;
    return { path: place, message: `is no feature of the policy${hint}` };
  });
}

function reportValue(
  feature: FeatureDefinition,
  value: unknown,
  path: string,
  mode: ScorePolicy['unknownFeatures'],
  { fault, ignored }: FeatureFindings,
): void {
  const place = `${path}.${feature.name}`;
  if (feature.kind === 'category' && typeof value === 'string' && mode === 'ignore') {
    ignored(`${place}=${shown(value)}`);
    return;
  }
  fault(() => {
    const nearest =
      feature.kind === 'category' && typeof value === 'string' ? nearestName(value, feature.values) : null;
    const hint = nearest === null ? '' : ` (did you mean "${nearest}"?)`;
    return { path: place, message: `must be ${expected(feature)}, got ${described(value)}${hint}` };
  });
}

function expected(feature: FeatureDefinition): string {
  switch (feature.kind) {
    case 'number':
      return 'a number';
    case 'boolean':
      return 'true or false';
    case 'category':
      return `one of ${listNames(feature.values)}`;
    default:
      return feature satisfies never;
  }
}

function described(value: unknown): string {
  if (typeof value === 'string') return `the text "${shown(value)}"`;
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : String(value);
}

function shown(text: string): string {
  return text.length > MAX_SHOWN_CHARACTERS ? `${text.slice(0, MAX_SHOWN_CHARACTERS)}…` : text;
}
