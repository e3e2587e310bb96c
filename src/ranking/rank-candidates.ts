import { AppError, type Fault, type Random } from '../kernel/index.ts';
import { chooseByWeights, squareCbPropensities, withFloor } from '../statistics/index.ts';
import { encoderOf, type FeatureEncoder, type FeatureFindings } from './feature-encoder.ts';
import type { RankedCandidate, ScoreCandidate, ScorePolicy, ScorePolicySnapshot } from './ranking-types.ts';
import { rewardOfShare } from './reward-share.ts';

export interface RankingInput {
  readonly policy: ScorePolicy;
  /** What the policy has learnt: of the same model, or of nothing yet. */
  readonly snapshot: ScorePolicySnapshot;
  readonly candidates: readonly ScoreCandidate[];
  readonly profileFeatures: Readonly<Record<string, unknown>> | null;
  readonly contextFeatures: Readonly<Record<string, unknown>> | null;
  readonly random: Random;
}

export interface Ranking {
  /** Best first, equal ones in the order of the request. */
  readonly ranking: readonly RankedCandidate[];
  /** In the order of the request: predicted reward on [0, 1], 1 is best. */
  readonly estimates: readonly number[];
  /** In the order of the request; sum to 1. */
  readonly propensities: readonly number[];
  /** Index of the chosen candidate in the request. */
  readonly chosen: number;
  /** Encoded features of the chosen candidate. */
  readonly chosenInput: readonly number[];
  /** What the policy does not know and was told to ignore, as paths, each once. */
  readonly ignored: readonly string[];
}

/** Enough to see what is wrong, whatever the number of candidates. */
const MAX_FAULTS = 50;
const MAX_IGNORED = 50;

/**
 * Predicts the reward of every candidate, gives each its probability, and draws the chosen one. Propensities are those of
 * SquareCB, or all equal, lifted to the floor floorShare / K.
 *
 * SquareCB's t is the number of rewards learnt from plus one, not of decisions: a decision without a reward teaches
 * nothing, so it must not sharpen the choice either. Fails with `score_invalid`, all faults with their paths.
 */
export function rankCandidates(input: RankingInput): Ranking {
  const { policy, snapshot, candidates, random } = input;
  const encoder = encoderOf(policy);
  const { inputs, ignored } = encodeRequest(encoder, input);
  const estimates = inputs.map((row) => estimate(row, snapshot));
  const propensities = propensitiesOf(policy, snapshot, estimates);
  const chosen = chooseByWeights(random.next(), propensities);
  const chosenInput = chosen === null ? undefined : inputs[chosen];
  if (chosen === null || chosenInput === undefined) {
    throw new AppError('internal', `policy "${policy.name}" chose none of its candidates`);
  }
  const worst = rewardOfShare(0, policy.declaration);
  const best = rewardOfShare(1, policy.declaration);
  const ranked = candidates.map(({ id }, index) => {
    const share = estimates[index] ?? 0;
    return {
      share,
      candidate: { id, score: worst + share * (best - worst), propensity: propensities[index] ?? 0 },
    };
  });
  return {
    // The sort is stable: equal ones keep the order of the request.
    ranking: ranked.toSorted((a, b) => b.share - a.share).map(({ candidate }) => candidate),
    estimates,
    propensities,
    chosen,
    chosenInput,
    ignored,
  };
}

function encodeRequest(
  encoder: FeatureEncoder,
  { policy, candidates, profileFeatures, contextFeatures }: RankingInput,
): { readonly inputs: readonly (readonly number[])[]; readonly ignored: readonly string[] } {
  const faults: Fault[] = [];
  let unshown = 0;
  const ignored = new Set<string>();
  const findings: FeatureFindings = {
    fault: (find) => {
      if (faults.length < MAX_FAULTS) faults.push(find());
      else unshown += 1;
    },
    // By name, not by candidate: a thousand of them lack the same one.
    ignored: (path) => {
      if (ignored.size < MAX_IGNORED) ignored.add(path.replace(/^candidates\[\d+\]/, 'candidates[]'));
    },
  };
  countFault(candidates.length, policy, findings);
  // A list that is too long is not read: its length is what is wrong with it.
  const read = candidates.length > policy.maxCandidates ? [] : candidates;
  idFaults(read, findings);
  const profile = encoder.read('profile', profileFeatures, () => 'profile_features', findings);
  const context = encoder.read('context', contextFeatures, () => 'context', findings);
  const inputs = read.map(({ features }, index) =>
    encoder.inputs(
      encoder.read('candidate', features, () => `candidates[${index}].features`, findings),
      profile,
      context,
    ),
  );
  if (faults.length > 0) throw scoreInvalid(policy, faults, unshown);
  return { inputs, ignored: [...ignored] };
}

function countFault(count: number, { maxCandidates }: ScorePolicy, { fault }: FeatureFindings): void {
  if (count === 0) fault(() => ({ path: 'candidates', message: 'is empty: send at least one candidate' }));
  if (count > maxCandidates) {
    const message = `has ${count} candidates, at most ${maxCandidates} are ranked: choose among them first, or raise max_candidates of the policy`;
    fault(() => ({ path: 'candidates', message }));
  }
}

function idFaults(candidates: readonly ScoreCandidate[], { fault }: FeatureFindings): void {
  const first = new Map<string, number>();
  candidates.forEach(({ id }, index) => {
    const before = first.get(id);
    if (before === undefined) first.set(id, index);
    else
      fault(() => ({ path: `candidates[${index}].id`, message: `is the id of candidates[${before}] too` }));
  });
}

function scoreInvalid(policy: ScorePolicy, faults: readonly Fault[], unshown: number): AppError {
  const total = faults.length + unshown;
  const count = total === 1 ? 'one fault' : `${total} faults`;
  const more = unshown === 0 ? '' : `, the first ${faults.length} are listed`;
  return new AppError('score_invalid', `The request does not fit policy "${policy.name}": ${count}${more}.`, {
    faults,
    details: { policy: policy.name },
  });
}

/** Predicted reward on [0, 1]. Before the first reward every candidate is as good as any other. */
export function estimate(
  inputs: readonly number[],
  { coefficients, revision }: Pick<ScorePolicySnapshot, 'coefficients' | 'revision'>,
): number {
  if (coefficients.length === 0) return 0;
  if (coefficients.length !== inputs.length) {
    throw new AppError('internal', `snapshot "${revision}" is of another model`);
  }
  let sum = 0;
  for (let at = 0; at < inputs.length; at += 1) sum += (coefficients[at] ?? 0) * (inputs[at] ?? 0);
  return Math.min(1, Math.max(0, sum));
}

/** Probability of every candidate by the estimates, floor included. */
export function propensitiesOf(
  policy: ScorePolicy,
  { weight }: Pick<ScorePolicySnapshot, 'weight'>,
  estimates: readonly number[],
): readonly number[] {
  const count = estimates.length;
  if (policy.kind === 'uniform') return estimates.map(() => 1 / count);
  const { gammaScale, gammaExponent, floorShare } = policy;
  // Corrections of a discounted past may leave a trace below zero.
  const t = Math.max(0, weight) + 1;
  return withFloor(squareCbPropensities({ estimates, gammaScale, gammaExponent, t }), floorShare / count);
}
