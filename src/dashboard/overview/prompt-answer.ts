import type { Lift } from '../api/wire-types.ts';
import type { VerdictTone } from '../components/verdict-tone.ts';

interface ComparedVersion {
  readonly prompt_version: string;
  readonly mature: number;
  readonly mean: number | null;
  readonly lift: Lift | null;
}

export interface PromptAnswer {
  readonly tone: VerdictTone;
  readonly heading: string;
  /** The version that certainly earns more than the baseline, and the most of those; null: none does. */
  readonly winner: string | null;
}

interface Comparison {
  readonly versions: readonly ComparedVersion[];
  readonly baseline: string | null;
  readonly optimize: 'max' | 'min';
  /** A window or a part of the calls that the reader chose: its numbers promise nothing. */
  readonly isDescriptive: boolean;
}

/** Which version is better, in a few words. Certain is only what leaves 0 out of its interval. */
export function promptAnswer({ versions, baseline, optimize, isDescriptive }: Comparison): PromptAnswer {
  if (versions.every(({ mature }) => mature === 0)) {
    return { tone: 'open', heading: 'No outcome yet', winner: null };
  }
  const compared = versions.flatMap(({ prompt_version, lift }) =>
    lift === null || lift.difference === null
      ? []
      : [{ version: prompt_version, lift, gain: optimize === 'max' ? lift.difference : -lift.difference }],
  );
  if (compared.length === 0) return { tone: 'open', heading: 'Nothing to compare yet', winner: null };
  const better = compared
    .filter(({ lift }) => (optimize === 'max' ? lift.lower > 0 : lift.upper < 0))
    .sort((a, b) => b.gain - a.gain);
  const [best] = better;
  if (isDescriptive) {
    return { tone: 'warning', heading: 'A part of the evidence, for looking only', winner: null };
  }
  if (best !== undefined) {
    return {
      tone: 'settled',
      heading: `${best.version} is better than ${baseline ?? 'the baseline'}`,
      winner: best.version,
    };
  }
  const allWorse = compared.every(({ lift }) => (optimize === 'max' ? lift.upper < 0 : lift.lower > 0));
  if (allWorse) {
    return { tone: 'settled', heading: `${baseline ?? 'The baseline'} is the best`, winner: baseline };
  }
  return { tone: 'open', heading: 'No difference is certain yet', winner: null };
}
