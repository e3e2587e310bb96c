import type { PolicySnapshot } from '../../experiments/index.ts';
import type { Connection } from './connection.ts';

/** Appends a snapshot; one that is there already stays as it is. */
export function createSnapshotAppender(database: Connection): (snapshot: PolicySnapshot) => void {
  const insert = database.prepare(
    `INSERT INTO policy_snapshots (experiment, revision, sequence, experiment_revision, policy, computed_at_ms,
       propensities_json, posteriors_json)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (experiment, revision) DO NOTHING`,
  );
  return (snapshot) => {
    insert.run(
      snapshot.experiment,
      snapshot.revision,
      snapshot.sequence,
      snapshot.experimentRevision,
      snapshot.policy,
      snapshot.computedAtMs,
      JSON.stringify(snapshot.propensities),
      JSON.stringify(snapshot.posteriors),
    );
  };
}

export function createLatestSnapshot(
  database: Connection,
): (query: { readonly experiment: string }) => PolicySnapshot | null {
  const find = database.prepare(
    `SELECT revision, sequence, experiment_revision, policy, computed_at_ms, propensities_json, posteriors_json
     FROM policy_snapshots WHERE experiment = ? ORDER BY sequence DESC LIMIT 1`,
  );
  return ({ experiment }) => {
    // Row mapper: the columns of the statement above, all NOT NULL.
    const row = find.get(experiment) as SnapshotRow | undefined;
    if (row === undefined) return null;
    return {
      experiment,
      revision: row.revision,
      sequence: row.sequence,
      experimentRevision: row.experiment_revision,
      policy: row.policy,
      computedAtMs: row.computed_at_ms,
      propensities: JSON.parse(row.propensities_json) as PolicySnapshot['propensities'],
      posteriors: JSON.parse(row.posteriors_json) as PolicySnapshot['posteriors'],
    };
  };
}

interface SnapshotRow {
  readonly revision: string;
  readonly sequence: number;
  readonly experiment_revision: string;
  readonly policy: PolicySnapshot['policy'];
  readonly computed_at_ms: number;
  readonly propensities_json: string;
  readonly posteriors_json: string;
}
