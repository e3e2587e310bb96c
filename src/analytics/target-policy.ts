import { AppError, listNames, nearestName } from '../kernel/index.ts';

/** A rule that might have assigned the units of an experiment instead of the one that did. */
export type TargetPolicy =
  | { readonly kind: 'arm'; readonly arm: string }
  | { readonly kind: 'uniform' }
  /** Arm → share; normalised, arms that are not named have 0. */
  | { readonly kind: 'weights'; readonly weights: ReadonlyMap<string, number> }
  | { readonly kind: 'revision'; readonly revision: string };

const TARGET_POLICY_FORMS =
  'arm:<name>, uniform, weights:<arm>=<share>,<arm>=<share> or revision:<policy revision>';

/** Longest piece of what was asked that an error repeats. */
const MAX_ECHO_CHARACTERS = 80;

/**
 * `arm:warm` · `uniform` · `weights:control=0.2,warm=0.8` (shares of their sum, like the weights of the configuration) ·
 * `revision:tone-7`. Fails with `invalid_request` and the path `policy`, saying what is allowed.
 */
export function parseTargetPolicy(text: string, arms: readonly string[]): TargetPolicy {
  if (text === 'uniform') return { kind: 'uniform' };
  const colon = text.indexOf(':');
  const rest = text.slice(colon + 1);
  switch (colon === -1 ? '' : text.slice(0, colon)) {
    case 'arm':
      return { kind: 'arm', arm: knownArm(rest, arms) };
    case 'weights':
      return { kind: 'weights', weights: parseWeights(rest, arms) };
    case 'revision':
      if (rest === '')
        throw refused('revision: needs the name of a policy revision, for example revision:tone-7');
      return { kind: 'revision', revision: rest };
    default:
      throw refused(`must be ${TARGET_POLICY_FORMS}, not ${echo(text)}; arms: ${listNames(arms)}`);
  }
}

/** The error of a `policy` that cannot be evaluated. */
export function refused(message: string): AppError {
  return new AppError('invalid_request', `The query is not valid: policy ${message}.`, {
    faults: [{ path: 'policy', message }],
  });
}

/** What was asked, quoted and cut. */
export function echo(text: string): string {
  return JSON.stringify(text.slice(0, MAX_ECHO_CHARACTERS));
}

function knownArm(name: string, arms: readonly string[]): string {
  if (arms.includes(name)) return name;
  const near = nearestName(name, arms);
  const hint = near === null ? '' : `; did you mean ${near}?`;
  throw refused(
    `names the arm ${echo(name)}, which this experiment does not have${hint} (arms: ${listNames(arms)})`,
  );
}

function parseWeights(text: string, arms: readonly string[]): ReadonlyMap<string, number> {
  const weights = new Map<string, number>();
  for (const part of text.split(',')) {
    const [name = '', share, ...more] = part.split('=');
    const weight = share === undefined || share.trim() === '' || more.length > 0 ? Number.NaN : Number(share);
    if (!(weight >= 0 && Number.isFinite(weight))) {
      throw refused(
        `weights: must be arms with shares of 0 or more, as in weights:${arms[0]}=0.2,${arms[1]}=0.8; got ${echo(part)}`,
      );
    }
    const arm = knownArm(name.trim(), arms);
    if (weights.has(arm)) throw refused(`weights: names the arm ${arm} twice`);
    weights.set(arm, weight);
  }
  const sum = [...weights.values()].reduce((total, weight) => total + weight, 0);
  if (!(sum > 0 && Number.isFinite(sum))) throw refused('weights: needs a share above 0');
  return new Map([...weights].map(([arm, weight]) => [arm, weight / sum]));
}

/** A rule that might have chosen the candidates of a ranking policy instead of the one that did. */
export type TargetChoice =
  | { readonly kind: 'uniform' }
  /** The best by the estimates logged with the decision; of equal ones the first of the request. */
  | { readonly kind: 'greedy' }
  /** The caller's own order. */
  | { readonly kind: 'first' }
  | { readonly kind: 'policy'; readonly policy: string };

/** `uniform` · `greedy` · `first` · `policy:tips-bold`. Fails with `invalid_request` and the path `policy`. */
export function parseTargetChoice(text: string): TargetChoice {
  if (text === 'uniform' || text === 'greedy' || text === 'first') return { kind: text };
  const name = text.startsWith('policy:') ? text.slice('policy:'.length) : '';
  if (name !== '') return { kind: 'policy', policy: name };
  throw refused(`must be uniform, greedy, first or policy:<configured policy>, not ${echo(text)}`);
}
