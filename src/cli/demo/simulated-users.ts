import type { Random } from '../../kernel/index.ts';

/** Chance that a simulated user does what a tip of the version suggests: the truth the report has to find. */
export const TRUE_PROBABILITIES: Readonly<Record<string, number>> = { v1: 0.2, v2: 0.35, v3: 0.5 };

const GOALS = [
  'reading more',
  'fewer interruptions at work',
  'sleeping earlier',
  'moving more',
  'learning Spanish',
];
const MOODS = ['good', 'neutral', 'tired', 'low', 'restless'];

export interface SimulatedUser {
  readonly id: string;
  /** What the user wants to get better at. */
  readonly goal: string;
  readonly profileFeatures: {
    /** Share of earlier tips the user followed. */
    readonly completion_rate: number;
    /** Hour of the day the user likes tips at, 0 to 23. */
    readonly preferred_hour: number;
    /** Tips the user got in the last week. */
    readonly tip_volume: number;
  };
}

export interface SimulatedReaction {
  readonly completed: boolean;
  readonly reaction: 'love' | 'like' | 'dismiss';
}

/** Users with profiles, the same for the same random numbers. Profiles do not change how anybody reacts. */
export function createSimulatedUsers(count: number, random: Random): readonly SimulatedUser[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `user-${String(index + 1).padStart(String(count).length, '0')}`,
    goal: pick(GOALS, random),
    profileFeatures: {
      completion_rate: Math.round(random.next() * 100) / 100,
      preferred_hour: 6 + Math.floor(random.next() * 17),
      tip_volume: Math.floor(random.next() * 15),
    },
  }));
}

/** How a user reacts to one tip of `version`: independent draws with the true probability. */
export function reactTo(version: string, random: Random): SimulatedReaction {
  const isCompleted = random.next() < (TRUE_PROBABILITIES[version] ?? 0);
  const mood = random.next();
  if (isCompleted) return { completed: true, reaction: mood < 0.4 ? 'love' : 'like' };
  return { completed: false, reaction: mood < 0.3 ? 'like' : 'dismiss' };
}

/** How a user feels at the moment of a tip. */
export function drawMood(random: Random): string {
  return pick(MOODS, random);
}

function pick(choices: readonly string[], random: Random): string {
  return choices[Math.floor(random.next() * choices.length)] ?? '';
}
