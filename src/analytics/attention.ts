import type { RolloutEvent } from '../experiments/index.ts';
import { type Fault, usdFromNanoUsd } from '../kernel/index.ts';
import type { ExperimentSummary } from './experiment-report.ts';
import type { OverviewPrompt } from './overview-prompt.ts';
import type { ReportWarning } from './version-report.ts';

export type AttentionCode =
  | 'ledger_unhealthy'
  | 'config_fault'
  | 'config_needs_restart'
  | 'prompts_fault'
  | 'provider_down'
  | 'default_version_fault'
  | 'sample_ratio_alarm'
  | 'guardrail_stop'
  | 'gate_refused'
  | 'gate_overridden'
  | 'degraded_traffic'
  | 'error_traffic'
  | 'mixed_content'
  | 'unknown_version'
  | 'budget_spent'
  | 'orphan_outcomes';

/** Something an admin should look at. */
export interface Attention {
  readonly code: AttentionCode;
  readonly severity: 'critical' | 'warning' | 'info';
  /** What is wrong, and what to do. */
  readonly message: string;
  readonly prompt: string | null;
  readonly experiment: string | null;
  /** Path of the page that shows it. */
  readonly link: string | null;
}

/** How the parts of the gateway are. */
export interface PartsHealth {
  readonly ledger: { readonly writable: boolean; readonly reason: string | null };
  /** Of the last reload. */
  readonly configFaults: readonly Fault[];
  readonly configNeedsRestart: readonly string[];
  readonly promptFaults: readonly Fault[];
  readonly providers: readonly {
    readonly route: string;
    readonly provider: string;
    readonly model: string;
    readonly circuit: 'closed' | 'half_open' | 'open';
  }[];
}

/** A key's budget and what it spent of it today, nano-dollars. */
export interface KeyBudget {
  readonly keyId: string;
  readonly name: string;
  readonly limitNanoUsd: number;
  readonly spentNanoUsd: number;
}

export interface AttentionFacts {
  readonly health: PartsHealth;
  readonly prompts: readonly OverviewPrompt[];
  readonly warnings: readonly (ReportWarning & { readonly prompt: string })[];
  readonly experiments: readonly (ExperimentSummary & { readonly isAlarmed: boolean })[];
  /** Newest first. */
  readonly rollouts: readonly RolloutEvent[];
  readonly budgets: readonly KeyBudget[];
  readonly orphanOutcomes: number;
}

const HEALTH_PAGE = '/admin/health';
const KEYS_PAGE = '/admin/keys';
const SEVERITIES = ['critical', 'warning', 'info'] as const;

/** Below this many calls a day one failure is a large share. */
const MIN_CALLS_A_DAY = 20;
const NOTABLE_SHARE = 0.05;
/** From here on most users notice. */
const GRAVE_SHARE = 0.5;
const NOTABLE_BUDGET_SHARE = 0.9;
/** Outcomes may come before their generation: a few are no fault. */
const NOTABLE_ORPHANS = 1_000;

/** Worst first; of the same severity in the order of this function. */
export function attentionOf(facts: AttentionFacts): readonly Attention[] {
  const all = [
    ...healthAttention(facts.health),
    ...facts.prompts.flatMap(promptAttention),
    ...facts.experiments.flatMap(experimentAttention),
    ...rolloutAttention(facts.rollouts),
    ...facts.warnings.flatMap(warningAttention),
    ...facts.budgets.flatMap(budgetAttention),
    ...orphanAttention(facts.orphanOutcomes),
  ];
  return SEVERITIES.flatMap((severity) => all.filter((attention) => attention.severity === severity));
}

function attention(
  code: AttentionCode,
  severity: Attention['severity'],
  message: string,
  about: Partial<Pick<Attention, 'prompt' | 'experiment' | 'link'>> = {},
): Attention {
  return { code, severity, message, prompt: null, experiment: null, link: null, ...about };
}

const promptPage = (prompt: string): string => `/admin/prompts/${encodeURIComponent(prompt)}`;
const experimentPage = (experiment: string): string => `/admin/experiments/${encodeURIComponent(experiment)}`;

function healthAttention(health: PartsHealth): readonly Attention[] {
  const { ledger, configFaults, configNeedsRestart, promptFaults, providers } = health;
  const link = HEALTH_PAGE;
  const open = providers.filter(({ circuit }) => circuit !== 'closed');
  return [
    ...(ledger.writable
      ? []
      : [
          attention(
            'ledger_unhealthy',
            'critical',
            `The ledger cannot be written (${ledger.reason ?? 'not writable'}): calls and outcomes are refused or go unrecorded.`,
            { link },
          ),
        ]),
    ...faultAttention('config_fault', configFaults, 'configuration', link),
    ...faultAttention('prompts_fault', promptFaults, 'prompts', link),
    ...open.map(({ route, provider, model, circuit }) =>
      attention(
        'provider_down',
        'warning',
        `${provider}/${model} of the route ${route} fails: its circuit is ${circuit.replace('_', ' ')}.`,
        { link },
      ),
    ),
    ...(configNeedsRestart.length === 0
      ? []
      : [
          attention(
            'config_needs_restart',
            'info',
            `Values of the configuration wait for a restart: ${configNeedsRestart.join(', ')}.`,
            { link },
          ),
        ]),
  ];
}

function faultAttention(
  code: 'config_fault' | 'prompts_fault',
  faults: readonly Fault[],
  what: string,
  link: string,
): readonly Attention[] {
  const [first] = faults;
  if (first === undefined) return [];
  const more = faults.length === 1 ? '' : ` and ${faults.length - 1} more`;
  const message = `The last reload of the ${what} was refused, what was in force before still is: ${first.path} ${first.message}${more}.`;
  return [attention(code, 'warning', message, { link })];
}

function promptAttention(prompt: OverviewPrompt): readonly Attention[] {
  const about = { prompt: prompt.prompt, link: promptPage(prompt.prompt) };
  const { problem } = prompt.serves;
  const calls = prompt.generations.last24h;
  const shares = [
    {
      code: 'error_traffic',
      share: prompt.errorShare.last24h ?? 0,
      text: 'failed',
      todo: 'Look at the failed ones.',
    },
    {
      code: 'degraded_traffic',
      share: prompt.degradedShare.last24h ?? 0,
      text: 'were answered with authored lines',
      todo: 'Look at the providers.',
    },
  ] as const;
  return [
    ...(problem === null
      ? []
      : [
          attention(
            'default_version_fault',
            'critical',
            `Calls of ${prompt.prompt} that name no version fail: ${problem}.`,
            about,
          ),
        ]),
    ...shares
      .filter(({ share }) => calls >= MIN_CALLS_A_DAY && share >= NOTABLE_SHARE)
      .map(({ code, share, text, todo }) =>
        attention(
          code,
          share >= GRAVE_SHARE ? 'critical' : 'warning',
          `${Math.round(share * 100)} % of ${calls} calls of ${prompt.prompt} in the last 24 hours ${text}. ${todo}`,
          about,
        ),
      ),
  ];
}

function experimentAttention(experiment: AttentionFacts['experiments'][number]): readonly Attention[] {
  const { experiment: name, prompt, state, isAlarmed } = experiment;
  const about = { prompt, experiment: name, link: experimentPage(name) };
  return [
    ...(isAlarmed
      ? [
          attention(
            'sample_ratio_alarm',
            'critical',
            `Units of the experiment ${name} do not arrive as they were assigned: do not believe its numbers before the cause is found.`,
            about,
          ),
        ]
      : []),
    ...(state === 'stopped_by_guardrail'
      ? [
          attention(
            'guardrail_stop',
            'critical',
            `A guardrail stopped the experiment ${name}: every call gets its baseline.`,
            about,
          ),
        ]
      : []),
  ];
}

/** Only what a subject came to last: a refusal that was answered by a later move needs nobody. */
function rolloutAttention(rollouts: readonly RolloutEvent[]): readonly Attention[] {
  const seen = new Set<string>();
  return rollouts.flatMap((event): readonly Attention[] => {
    const key = `${event.subjectKind} ${event.subject}`;
    if (seen.has(key)) return [];
    seen.add(key);
    const about = aboutSubject(event);
    if (event.decision === 'refused') {
      const message = `The rollout gate refused to lead ${event.subject} to ${event.to}: its shadow runs do not show enough yet.`;
      return [attention('gate_refused', 'warning', message, about)];
    }
    if (event.decision !== 'overridden') return [];
    const message = `${event.subject} leads to ${event.to} past a closed gate: ${event.gate.overrideReason ?? event.reason}`;
    return [attention('gate_overridden', 'info', message, about)];
  });
}

function aboutSubject({
  subjectKind,
  subject,
}: RolloutEvent): Pick<Attention, 'prompt' | 'experiment' | 'link'> {
  const nothing = { prompt: null, experiment: null, link: null };
  if (subjectKind === 'experiment') {
    return { ...nothing, experiment: subject, link: experimentPage(subject) };
  }
  if (subjectKind === 'policy') return nothing;
  const prompt = subject.slice(0, subject.lastIndexOf('@'));
  return { ...nothing, prompt, link: promptPage(prompt) };
}

/** The others are about how to read a number: they stand beside it. */
function warningAttention({
  code,
  prompt,
  message,
}: AttentionFacts['warnings'][number]): readonly Attention[] {
  if (code !== 'mixed_content' && code !== 'unknown_version') return [];
  return [attention(code, 'warning', `${prompt}: ${message}`, { prompt, link: promptPage(prompt) })];
}

function budgetAttention({ name, limitNanoUsd, spentNanoUsd }: KeyBudget): readonly Attention[] {
  if (spentNanoUsd < NOTABLE_BUDGET_SHARE * limitNanoUsd) return [];
  const isSpent = spentNanoUsd >= limitNanoUsd;
  const message = `The key ${name} has spent ${usdFromNanoUsd(spentNanoUsd)} of ${usdFromNanoUsd(limitNanoUsd)} USD today${isSpent ? ': its calls are refused until 00:00 UTC' : ''}.`;
  return [attention('budget_spent', isSpent ? 'critical' : 'warning', message, { link: KEYS_PAGE })];
}

function orphanAttention(orphans: number): readonly Attention[] {
  if (orphans === 0) return [];
  const message = `${orphans} outcome${orphans === 1 ? ' names a generation' : 's name generations'} that nobody has recorded: ids may be wrong, or calls went unrecorded.`;
  return [
    attention('orphan_outcomes', orphans >= NOTABLE_ORPHANS ? 'warning' : 'info', message, {
      link: HEALTH_PAGE,
    }),
  ];
}
