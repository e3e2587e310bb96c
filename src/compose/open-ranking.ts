import type { ConfigStore } from '../config/index.ts';
import type { Clock, Ids, Logger, Random } from '../kernel/index.ts';
import {
  createScorePolicies,
  loadScorePolicies,
  policyChanges,
  type ScorePolicies,
} from '../ranking/index.ts';
import { createScoreService, type ScoreParts, type ScoreService } from '../serving/index.ts';
import type { SqliteStorage } from '../storage/sqlite/index.ts';

/** How decisions are recorded: as generations are. */
type Recording = Pick<ScoreParts, 'redaction' | 'hashUnit' | 'configHash' | 'gatewayVersion'>;

export interface RankingOptions extends Recording {
  readonly store: ConfigStore;
  readonly storage: Pick<SqliteStorage, 'ledger' | 'scorePolicies'>;
  readonly observer: ScoreParts['observer'];
  /** Told of every decision. */
  readonly shadows: NonNullable<ScoreParts['shadows']>;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

export interface RankingParts {
  readonly scores: ScoreService;
  readonly policies: ScorePolicies;
  close(): Promise<void>;
}

/** Ranking and its policies, which learn from now on; they follow every reload. */
export async function openRanking(options: RankingOptions): Promise<RankingParts> {
  const { store, storage, clock, logger } = options;
  const { config } = store.current();
  let definitions = loadScorePolicies(config);
  const policies = createScorePolicies({
    policies: () => definitions,
    store: storage.scorePolicies,
    clock,
    logger,
  });
  await policies.restore();
  policies.start();
  store.addWarning((next) => policyChanges(loadScorePolicies(next.config), definitions));
  store.addPreparation(async (next) => {
    const loaded = loadScorePolicies(next.config);
    const takeOver = await policies.prepare(loaded);
    return () => {
      definitions = loaded;
      takeOver();
    };
  });
  return {
    policies,
    scores: createScoreService({
      ...options,
      policies,
      ledger: storage.ledger,
      onLedgerFailure: config.ledger.on_failure,
    }),
    close: () => policies.close(),
  };
}
