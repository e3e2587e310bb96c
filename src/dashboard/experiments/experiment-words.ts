import type { VerdictTone } from '../components/verdict-tone.ts';

/** Structures of the wire types; spelled out, so that this file knows nothing of browsers. */
interface Report {
  readonly state: string;
  readonly stop: string | null;
  readonly unit: 'user_id' | 'session_id';
  readonly stopped: { readonly by: string; readonly guardrail: string | null } | null;
  readonly sample_ratio: {
    readonly p_value: number;
    readonly alarm_below: number;
    readonly alarm: boolean;
    readonly units: number;
  };
}

const VERDICTS: Readonly<Record<string, readonly [tone: VerdictTone, heading: string]>> = {
  better: ['settled', 'Certain: an arm is better'],
  worse: ['settled', 'Certain: an arm is worse'],
  no_difference_yet: ['open', 'No winner yet'],
  assignment_broken: ['warning', 'The evidence must not be used'],
  not_started: ['open', 'Not started'],
  no_data: ['open', 'Nothing to compare yet'],
};

export function verdictWords(state: string): readonly [tone: VerdictTone, heading: string] {
  return VERDICTS[state] ?? ['open', 'Not certain yet'];
}

const STATES: Readonly<Record<string, readonly [className: string, text: string]>> = {
  running: ['badge badge-good', 'running'],
  not_started: ['badge', 'not started'],
  stopped: ['badge', 'over'],
  stopped_by_guardrail: ['badge badge-bad', 'stopped by a guardrail'],
  stopped_by_admin: ['badge badge-warning', 'stopped by an admin'],
};

export function stateBadge(state: string): readonly [className: string, text: string] {
  return STATES[state] ?? ['badge', state];
}

/** What the units are called among people. */
export function unitWord(unit: Report['unit']): string {
  return unit === 'user_id' ? 'users' : 'sessions';
}

/** Whether units arrive in the arms as the logged chances say: without that no mean can be compared. */
export function sampleRatioText({
  sample_ratio: ratio,
  unit,
}: Pick<Report, 'sample_ratio' | 'unit'>): string {
  const units = unitWord(unit);
  const numbers = `p = ${pValueText(ratio.p_value)} over ${ratio.units.toLocaleString('en')} ${units}; the alarm is below ${ratio.alarm_below}`;
  if (ratio.units === 0) return `No ${units} yet whose chances are known.`;
  return ratio.alarm
    ? `The ${units} of the arms are not as many as their chances say: something assigns, loses or counts them wrongly (${numbers}).`
    : `The ${units} arrive in the arms as their chances say (${numbers}).`;
}

/** `0.42`, `< 0.0001`. */
export function pValueText(pValue: number): string {
  if (pValue < 0.0001) return '< 0.0001';
  return String(Number(pValue.toPrecision(2)));
}

const POLICIES: Readonly<Record<string, string>> = {
  fixed: 'fixed weights',
  epsilon_greedy: 'epsilon-greedy: most users get the best arm so far',
  thompson: 'Thompson sampling: the likelier the best arm, the more users get it',
  top_two_thompson: 'top-two Thompson sampling: made to find the best arm soon',
};

export function policyText(policy: string): string {
  return POLICIES[policy] ?? policy;
}

const GATES: Readonly<Record<string, string>> = {
  none: 'no rollout gate was configured for it',
  exempt: 'the rollout gate let it pass: everything it leads to has been live before',
  held: 'the rollout gate let it pass: every condition held',
  overridden: 'the rollout gate was overridden',
  closed: 'the rollout gate was closed',
};

/** What the rollout gate said to a move of a label. */
export function gateText(gate: { readonly state: string; readonly override_reason: string | null }): string {
  const text = GATES[gate.state] ?? gate.state;
  return gate.override_reason === null ? text : `${text}: ${gate.override_reason}`;
}

const METHODS: Readonly<Record<string, string>> = {
  arm: 'Everybody on',
  uniform: 'Every arm alike',
};

/** Other policies that a reader may ask about, as choices of a field. */
export function whatIfChoices(
  arms: readonly { readonly arm: string; readonly prompt_version: string | null }[],
  revisions: readonly { readonly policy_revision: string }[],
): readonly { readonly value: string; readonly text: string }[] {
  const newest = revisions.slice(-MAX_REVISION_CHOICES).reverse();
  return [
    { value: '', text: 'choose one' },
    ...arms
      .filter(({ prompt_version }) => prompt_version !== null)
      .map(({ arm }) => ({ value: `arm:${arm}`, text: `${METHODS['arm']} ${arm}` })),
    { value: 'uniform', text: METHODS['uniform'] ?? '' },
    ...newest.map(({ policy_revision: revision }) => ({
      value: `revision:${revision}`,
      text: `As under ${revision}`,
    })),
  ];
}

/** Other weights in writing, with names that this experiment knows. */
export function weightsExample(arms: readonly { readonly arm: string }[]): string {
  const first = arms.at(0)?.arm ?? 'control';
  const last = arms.length > 1 ? arms.at(-1)?.arm : undefined;
  return last === undefined ? `weights:${first}=1` : `weights:${first}=1,${last}=3`;
}

/** More would not be found in a list. */
const MAX_REVISION_CHOICES = 10;
