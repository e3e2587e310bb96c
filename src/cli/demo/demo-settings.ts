/** Rules that the demonstration's experiment may assign by. */
export const DEMO_POLICIES = ['thompson', 'fixed', 'top_two_thompson', 'epsilon_greedy'] as const;
export type DemoPolicy = (typeof DEMO_POLICIES)[number];

export interface DemoSettings {
  /** Users of the experiment, one tip each; the first of them also take part in the comparison. */
  readonly users: number;
  /** Tips for each user of the comparison. */
  readonly tipsPerUser: number;
  readonly policy: DemoPolicy;
  readonly seed: number;
  /** Leave the database behind. */
  readonly isKept: boolean;
}

export const DEMO_PROMPT = 'tip';
export const DEMO_EXPERIMENT = 'tip-versions';
export const DEMO_METRIC = 'completed';
/** The comparison needs no more, and the experiment is what takes the time. */
export const MOST_COMPARED_USERS = 300;
