import type { Assignment } from '../../experiments/index.ts';
import type { Connection } from './connection.ts';
import { type GenerationValues, pickColumns } from './generation-columns.ts';

/** The columns of a generation that say how its unit was assigned. */
const ASSIGNMENT_COLUMNS = [
  'id',
  'created_at_ms',
  'experiment',
  'experiment_revision',
  'arm',
  'propensity',
  'propensities_json',
  'assigned_policy_revision',
  'unit_kind',
  'unit_key',
  'replay',
  'shadow_of',
] as const;

type AssignmentValues = Readonly<Record<(typeof ASSIGNMENT_COLUMNS)[number], string | number | null>>;

/** Keeps the assignment that a generation carries, unless its unit has one: the first stays for ever. */
export function createAssignmentAppender(database: Connection): (values: GenerationValues) => void {
  const pick = pickColumns(ASSIGNMENT_COLUMNS);
  const insert = database.prepare(
    `INSERT INTO assignments (experiment, unit_kind, unit_key, experiment_revision, arm, propensity,
       propensities_json, policy_revision, assigned_at_ms, generation_id)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (experiment, unit_kind, unit_key) DO NOTHING`,
  );
  return (values) => {
    // Row mapper: the columns picked.
    const row = pick(values) as AssignmentValues;
    if (row.experiment === null || row.replay === 1 || row.shadow_of !== null) return;
    const assignment = [
      row.experiment,
      row.unit_kind,
      row.unit_key,
      row.experiment_revision,
      row.arm,
      row.propensity,
      row.propensities_json,
      row.assigned_policy_revision,
      row.created_at_ms,
    ];
    // A row that names an experiment without saying how its unit was assigned is data of another make.
    if (assignment.includes(null)) return;
    insert.run(...assignment, row.id);
  };
}

export interface AssignmentQuery {
  readonly experiment: string;
  readonly unitKind: string;
  readonly unitKey: string;
}

export function createAssignmentFinder(database: Connection): (query: AssignmentQuery) => Assignment | null {
  const find = database.prepare(
    `SELECT experiment_revision, arm, propensity, propensities_json, policy_revision, assigned_at_ms
     FROM assignments WHERE experiment = ? AND unit_kind = ? AND unit_key = ?`,
  );
  return ({ experiment, unitKind, unitKey }) => {
    // Row mapper: the columns of the statement above, all NOT NULL.
    const row = find.get(experiment, unitKind, unitKey) as AssignmentRow | undefined;
    if (row === undefined) return null;
    return {
      experiment,
      experimentRevision: row.experiment_revision,
      unitKind,
      unitKey,
      arm: row.arm,
      propensity: row.propensity,
      propensities: JSON.parse(row.propensities_json) as Assignment['propensities'],
      policyRevision: row.policy_revision,
      assignedAtMs: row.assigned_at_ms,
    };
  };
}

interface AssignmentRow {
  readonly experiment_revision: string;
  readonly arm: string;
  readonly propensity: number;
  readonly propensities_json: string;
  readonly policy_revision: string;
  readonly assigned_at_ms: number;
}
