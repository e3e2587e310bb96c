/** Servers that are started together and asked in alternation. */
export type GroupName = 'generate' | 'score' | 'feedback';

export type ScenarioName =
  | 'c1'
  | 'c64'
  | 'slow'
  | 'streams'
  | 'stream-c1'
  | 'score-c1'
  | 'score-c64'
  | 'score-keyed'
  | 'feedback-1'
  | 'feedback-100';

export interface Scenario {
  readonly name: ScenarioName;
  /** As tables call it. */
  readonly title: string;
  readonly group: GroupName;
  readonly connections: number;
  /** Before every answer of the fake provider. */
  readonly providerDelayMs: number;
  readonly isStreamed: boolean;
  /** With an `Idempotency-Key` of its own on every request. */
  readonly isKeyed: boolean;
  /** What one request carries, where that is counted on its own: outcomes of a batch. */
  readonly itemsPerRequest: number;
}

const GENERATE = {
  group: 'generate',
  providerDelayMs: 0,
  isStreamed: false,
  isKeyed: false,
  itemsPerRequest: 1,
} as const;
const SCORE = { ...GENERATE, group: 'score' } as const;
const FEEDBACK = { ...GENERATE, group: 'feedback' } as const;

export const SCENARIOS: readonly Scenario[] = [
  { ...GENERATE, name: 'c1', title: 'one caller', connections: 1 },
  { ...GENERATE, name: 'c64', title: '64 callers', connections: 64 },
  {
    ...GENERATE,
    name: 'slow',
    title: '64 callers, provider takes 50 ms',
    connections: 64,
    providerDelayMs: 50,
  },
  { ...GENERATE, name: 'streams', title: 'streams, 16 callers', connections: 16, isStreamed: true },
  { ...GENERATE, name: 'stream-c1', title: 'streams, one caller', connections: 1, isStreamed: true },
  { ...SCORE, name: 'score-c1', title: '/score, one caller', connections: 1 },
  { ...SCORE, name: 'score-c64', title: '/score, 64 callers', connections: 64 },
  {
    ...SCORE,
    name: 'score-keyed',
    title: '/score, 64 callers, each with an Idempotency-Key',
    connections: 64,
    isKeyed: true,
  },
  { ...FEEDBACK, name: 'feedback-1', title: '/feedback, 64 callers', connections: 64 },
  {
    ...FEEDBACK,
    name: 'feedback-100',
    title: '/feedback, batches of 100, 16 callers',
    connections: 16,
    itemsPerRequest: 100,
  },
];
