/** What a tip may be about. The gateway ranks the ideas for a user; a prompt writes the tip about the chosen one. */
export interface TipIdea {
  readonly id: string;
  /** For the prompt: what the tip shall suggest. */
  readonly about: string;
  /** One of the values that the policy `tips` declares. */
  readonly category: 'focus' | 'planning' | 'body' | 'calm' | 'social';
  /** From 0, a minute's matter, to 1. */
  readonly effort: number;
}

export const TIP_IDEAS: readonly TipIdea[] = [
  { id: 'focus-block', about: 'working in one undisturbed block', category: 'focus', effort: 0.7 },
  { id: 'two-minutes', about: 'starting with only two minutes', category: 'focus', effort: 0.1 },
  { id: 'first-step', about: "preparing tomorrow's first step", category: 'planning', effort: 0.3 },
  { id: 'walk', about: 'taking a short walk', category: 'body', effort: 0.5 },
  { id: 'breathing', about: 'breathing calmly for a minute', category: 'calm', effort: 0.1 },
  { id: 'promise', about: 'making a promise to a friend', category: 'social', effort: 0.6 },
];
