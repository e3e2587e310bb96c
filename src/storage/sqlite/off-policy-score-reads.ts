import type {
  PolicyCell,
  PolicyChoicePage,
  PolicyDecision,
  PolicyDecisionPage,
  PolicyDecisionsQuery,
  PolicyTotals,
  PolicyTotalsQuery,
} from '../../analytics/index.ts';
import { candidatesOfJson } from '../../ledger/index.ts';
import type { Connection } from './connection.ts';
import { createRetentionStateReader } from './retention-state.ts';

/** A page ends here at the latest: parsing its candidates takes a few milliseconds. */
const MAX_PAGE_ROWS = 200;
const MAX_PAGE_CHARACTERS = 262_144;
const MAX_CHOICE_ROWS = 500;

const COUNTED = 'policy = @policy AND test = 0 AND shadow = 0';

const DECISION_SUMS = `sum(decisions) AS decisions,
    sum(CASE WHEN hour_ms < @closedBeforeMs THEN decisions ELSE 0 END) AS closed_decisions,
    sum(candidates) AS candidates, sum(chosen_best) AS chosen_best,
    sum(chosen_propensity_sum) AS chosen_propensity_sum`;

const REWARD_SUMS = `sum(n) AS n,
    sum(reward_sum) + sum(reward_sum_low) AS reward_sum,
    sum(reward_sum_sq) + sum(reward_sum_sq_low) AS reward_sum_sq,
    sum(CASE WHEN hour_ms < @closedBeforeMs THEN n ELSE 0 END) AS closed_n,
    sum(CASE WHEN hour_ms < @closedBeforeMs THEN reward_sum ELSE 0.0 END)
      + sum(CASE WHEN hour_ms < @closedBeforeMs THEN reward_sum_low ELSE 0.0 END) AS closed_sum,
    sum(CASE WHEN hour_ms < @closedBeforeMs THEN reward_sum_sq ELSE 0.0 END)
      + sum(CASE WHEN hour_ms < @closedBeforeMs THEN reward_sum_sq_low ELSE 0.0 END) AS closed_sum_sq`;

export const POLICY_REVISIONS_SQL = `
  SELECT policy_definition, policy_revision, min(hour_ms) AS first_hour_ms, ${DECISION_SUMS}
  FROM score_rollups WHERE ${COUNTED}
  GROUP BY policy_definition, policy_revision
  ORDER BY first_hour_ms, length(policy_revision), policy_revision`;

export const POLICY_REVISION_REWARDS_SQL = `
  SELECT policy_definition, policy_revision, ${REWARD_SUMS}
  FROM score_reward_rollups WHERE ${COUNTED} AND metric = @metric
  GROUP BY policy_definition, policy_revision`;

export const POLICY_HOURS_SQL = `
  SELECT hour_ms, ${DECISION_SUMS} FROM score_rollups WHERE ${COUNTED} GROUP BY hour_ms ORDER BY hour_ms`;

export const POLICY_HOUR_REWARDS_SQL = `
  SELECT hour_ms, ${REWARD_SUMS} FROM score_reward_rollups WHERE ${COUNTED} AND metric = @metric GROUP BY hour_ms`;

const DECISION_ROWS = `
  FROM scores s INDEXED BY scores_by_policy
  LEFT JOIN counting_score_outcomes c ON c.score_id = s.id AND c.metric = @metric
  WHERE s.policy = @policy AND s.seq > @afterSequence
  ORDER BY s.seq
  LIMIT @limit`;

export const POLICY_DECISIONS_SQL = `
  SELECT s.seq, s.created_at_ms, s.test, s.shadow_of, s.chosen, s.candidates_json,
    CASE WHEN @withFeatures THEN s.profile_features_json END AS profile_json,
    CASE WHEN @withFeatures THEN s.context_json END AS context_json, c.reward ${DECISION_ROWS}`;

export const POLICY_CHOICES_SQL = `
  SELECT s.seq, s.created_at_ms, s.test, s.shadow_of, s.chosen_propensity, c.reward ${DECISION_ROWS}`;

type DecisionSums = Readonly<
  Record<'decisions' | 'closed_decisions' | 'candidates' | 'chosen_best' | 'chosen_propensity_sum', number>
>;
type RewardRow = Readonly<
  Record<'n' | 'reward_sum' | 'reward_sum_sq' | 'closed_n' | 'closed_sum' | 'closed_sum_sq', number>
>;
interface RevisionKey {
  readonly policy_definition: string;
  readonly policy_revision: string;
}
interface RowHead {
  readonly seq: number;
  readonly created_at_ms: number;
  readonly test: number;
  readonly shadow_of: string | null;
  readonly reward: number | null;
}
interface DecisionRow extends RowHead {
  readonly chosen: string | null;
  readonly candidates_json: string;
  readonly profile_json: string | null;
  readonly context_json: string | null;
}
interface ChoiceRow extends RowHead {
  readonly chosen_propensity: number | null;
}

/** What the reader can be asked about ranking policies. */
export interface PolicyReads {
  readonly policyTotals: (query: PolicyTotalsQuery) => PolicyTotals;
  readonly newestDecisions: (query: { readonly policy: string; readonly decisions: number }) => number;
  readonly policyDecisions: (query: PolicyDecisionsQuery) => PolicyDecisionPage;
  readonly policyChoices: (query: Omit<PolicyDecisionsQuery, 'withFeatures'>) => PolicyChoicePage;
}

export function createPolicyReads(database: Connection): PolicyReads {
  const revisions = database.prepare(POLICY_REVISIONS_SQL);
  const revisionRewards = database.prepare(POLICY_REVISION_REWARDS_SQL);
  const hours = database.prepare(POLICY_HOURS_SQL);
  const hourRewards = database.prepare(POLICY_HOUR_REWARDS_SQL);
  const decisions = database.prepare(POLICY_DECISIONS_SQL);
  const choices = database.prepare(POLICY_CHOICES_SQL);
  const older = database
    .prepare('SELECT seq FROM scores WHERE policy = ? ORDER BY seq DESC LIMIT 1 OFFSET ?')
    .pluck();
  const oldest = database.prepare('SELECT min(seq) FROM scores WHERE policy = ?').pluck();
  const retentionState = createRetentionStateReader(database);

  // Row mappers: the columns are those of the statements above. One transaction: all statements see the same state.
  const policyTotals = database.transaction((query: PolicyTotalsQuery): PolicyTotals => {
    const { policy, metric, closedBeforeMs } = query;
    const rewardsByRevision = new Map(
      (revisionRewards.all({ policy, metric, closedBeforeMs }) as (RewardRow & RevisionKey)[]).map((row) => [
        revisionKey(row),
        row,
      ]),
    );
    const rewardsByHour = new Map(
      (hourRewards.all({ policy, metric, closedBeforeMs }) as (RewardRow & { hour_ms: number })[]).map(
        (row) => [row.hour_ms, row],
      ),
    );
    return {
      revisions: (
        revisions.all({ policy, closedBeforeMs }) as (DecisionSums &
          RevisionKey & { first_hour_ms: number })[]
      ).map((row) => ({
        policyDefinition: row.policy_definition,
        policyRevision: row.policy_revision,
        firstHourMs: row.first_hour_ms,
        ...policyCell(row, rewardsByRevision.get(revisionKey(row))),
      })),
      hours: (hours.all({ policy, closedBeforeMs }) as (DecisionSums & { hour_ms: number })[]).map((row) => ({
        hourMs: row.hour_ms,
        ...policyCell(row, rewardsByHour.get(row.hour_ms)),
      })),
    };
  });

  return {
    policyTotals,
    newestDecisions: ({ policy, decisions: count }) => {
      const place: unknown = older.get(policy, count);
      if (typeof place === 'number') return place;
      // Once rows have been deleted, the first that is there is not the first there was.
      return retentionState().rowsHorizonMs === 0 ? 0 : Math.max(0, Number(oldest.get(policy) ?? 1) - 1);
    },
    policyDecisions: ({ policy, metric, afterSequence, limit, withFeatures }) => {
      const rowLimit = Math.max(1, Math.min(limit, MAX_PAGE_ROWS));
      const found: PolicyDecision[] = [];
      let characters = 0;
      let rows = 0;
      let last = afterSequence;
      const flag = withFeatures ? 1 : 0;
      const parameters = { policy, metric, afterSequence, limit: rowLimit, withFeatures: flag };
      for (const entry of decisions.iterate(parameters)) {
        const row = entry as DecisionRow;
        rows += 1;
        last = row.seq;
        characters += row.candidates_json.length;
        if (isReal(row)) found.push(policyDecision(row, withFeatures));
        if (characters >= MAX_PAGE_CHARACTERS) break;
      }
      const isLast = rows < rowLimit && characters < MAX_PAGE_CHARACTERS;
      return { decisions: found, nextSequence: isLast ? null : last };
    },
    policyChoices: ({ policy, metric, afterSequence, limit }) => {
      const rowLimit = Math.max(1, Math.min(limit, MAX_CHOICE_ROWS));
      const rows = choices.all({ policy, metric, afterSequence, limit: rowLimit }) as ChoiceRow[];
      return {
        choices: rows.filter(isReal).map((row) => ({
          createdAtMs: row.created_at_ms,
          reward: row.reward,
          chosenPropensity: row.chosen_propensity ?? 0,
        })),
        nextSequence: rows.length < rowLimit ? null : (rows.at(-1)?.seq ?? null),
      };
    },
  };
}

/** Test traffic and shadows are in the table too. */
function isReal({ test, shadow_of }: RowHead): boolean {
  return test === 0 && shadow_of === null;
}

/** Hashes and names hold no space. */
function revisionKey({ policy_definition, policy_revision }: RevisionKey): string {
  return `${policy_definition} ${policy_revision}`;
}

function policyCell(row: DecisionSums, rewards: RewardRow | undefined): PolicyCell {
  return {
    decisions: row.decisions,
    closedDecisions: row.closed_decisions,
    candidates: row.candidates,
    chosenBest: row.chosen_best,
    chosenPropensitySum: row.chosen_propensity_sum,
    outcomes: {
      n: rewards?.n ?? 0,
      sum: rewards?.reward_sum ?? 0,
      sumOfSquares: rewards?.reward_sum_sq ?? 0,
    },
    closedOutcomes: {
      n: rewards?.closed_n ?? 0,
      sum: rewards?.closed_sum ?? 0,
      sumOfSquares: rewards?.closed_sum_sq ?? 0,
    },
  };
}

function policyDecision(row: DecisionRow, withFeatures: boolean): PolicyDecision {
  const candidates = candidatesOfJson(row.candidates_json);
  return {
    createdAtMs: row.created_at_ms,
    reward: row.reward,
    chosen: candidates.findIndex(({ id }) => id === row.chosen),
    propensities: candidates.map(({ propensity }) => propensity),
    estimates: candidates.map(({ estimate }) => estimate),
    features: withFeatures
      ? { candidatesJson: row.candidates_json, profileJson: row.profile_json, contextJson: row.context_json }
      : null,
  };
}
