import { nearestName } from '../kernel/index.ts';
import type { MetricScale } from './metric-scale.ts';
import { createCsvReader } from './offline-csv.ts';
import type { OfflineFaults } from './offline-faults.ts';

/** One observation: a call of a variant and what it earned. */
export interface RewardRow {
  readonly lineNumber: number;
  readonly variant: string;
  readonly reward: number;
  /** Probability with which the variant was chosen; null where the file has no such column. */
  readonly propensity: number | null;
}

export interface RewardRowReader {
  push(text: string): void;
  end(): void;
}

interface Columns {
  readonly count: number;
  readonly variant: number;
  readonly reward: number;
  readonly propensity: number | null;
}

const COLUMNS = ['variant', 'reward', 'propensity'];

/** A number as spreadsheets and programs write it; no thousands separators, no decimal comma. */
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/**
 * Reads the rows of a CSV file with the columns `variant`, `reward` and optionally `propensity`, in any order among others.
 * A reward is a number on `scale`, or `true` and `false` for 1 and 0. What is wrong goes to `faults`, and the row is left
 * out.
 */
export function createRewardRowReader(options: {
  readonly scale: MetricScale;
  readonly faults: OfflineFaults;
  readonly onRow: (row: RewardRow) => void;
}): RewardRowReader {
  const { scale, faults, onRow } = options;
  let columns: Columns | null = null;
  let isHeaderRead = false;
  const reader = createCsvReader({
    onFault: (lineNumber, message) => faults.add(lineNumber, message),
    onRecord: ({ lineNumber, fields }) => {
      const refuse = (message: string): null => {
        faults.add(lineNumber, message);
        return null;
      };
      if (!isHeaderRead) {
        isHeaderRead = true;
        columns = readHeader(fields, refuse);
      } else if (columns !== null) {
        const row = readRow(fields, columns, scale, refuse);
        if (row !== null) onRow({ lineNumber, ...row });
      }
    },
  });
  return {
    push: reader.push,
    end: () => {
      reader.end();
      if (!isHeaderRead) faults.add(1, 'the file is empty: expected the columns variant and reward');
    },
  };
}

type Refuse = (message: string) => null;

function readHeader(fields: readonly string[], refuse: Refuse): Columns | null {
  const names = fields.map((field) => field.trim());
  for (const name of COLUMNS) {
    if (names.indexOf(name) !== names.lastIndexOf(name)) return refuse(`the column ${name} is there twice`);
  }
  const variant = names.indexOf('variant');
  const reward = names.indexOf('reward');
  const propensity = names.indexOf('propensity');
  if (variant === -1) return refuse(missingColumn('variant', names));
  if (reward === -1) return refuse(missingColumn('reward', names));
  const misspelt = names.find(
    (name) => !COLUMNS.includes(name) && nearestName(name, COLUMNS) === 'propensity',
  );
  if (propensity === -1 && misspelt !== undefined) {
    return refuse(`unknown column ${JSON.stringify(misspelt)} (did you mean "propensity"?)`);
  }
  return { count: names.length, variant, reward, propensity: propensity === -1 ? null : propensity };
}

function missingColumn(name: string, names: readonly string[]): string {
  const near = nearestName(name, names);
  const hint = near === null ? '' : ` (is ${JSON.stringify(near)} meant?)`;
  return `the first line names no column ${name}${hint}: expected variant and reward, separated by commas`;
}

function readRow(
  fields: readonly string[],
  columns: Columns,
  scale: MetricScale,
  refuse: Refuse,
): Omit<RewardRow, 'lineNumber'> | null {
  if (fields.length !== columns.count) {
    return refuse(`expected ${columns.count} fields as in the first line, got ${fields.length}`);
  }
  const variant = (fields[columns.variant] ?? '').trim();
  const reward = readReward((fields[columns.reward] ?? '').trim(), scale, refuse);
  const propensityText = columns.propensity === null ? null : (fields[columns.propensity] ?? '').trim();
  const propensity = propensityText === null ? null : readPropensity(propensityText, refuse);
  if (variant === '') return refuse('variant is empty');
  if (reward === null || (propensityText !== null && propensity === null)) return null;
  return { variant, reward, propensity };
}

function readReward(text: string, { min, max }: MetricScale, refuse: Refuse): number | null {
  if (text === '') {
    return refuse('reward is empty: leave the row out, or write 0 if silence counts as 0');
  }
  const value = numberFrom(/^true$/i.test(text) ? '1' : /^false$/i.test(text) ? '0' : text);
  if (value === null) return refuse(`reward: expected a number, got ${JSON.stringify(text.slice(0, 40))}`);
  if (value >= min && value <= max) return value;
  return refuse(
    `reward: expected a number within [${min}, ${max}], got ${text.slice(0, 40)} (declare another range with --metric-range)`,
  );
}

function readPropensity(text: string, refuse: Refuse): number | null {
  const value = numberFrom(text);
  if (value !== null && value > 0 && value <= 1) return value;
  return refuse(
    `propensity: expected the probability of the chosen variant, above 0 and at most 1, got ${JSON.stringify(text.slice(0, 40))}`,
  );
}

function numberFrom(text: string): number | null {
  if (!NUMBER.test(text)) return null;
  const value = Number(text);
  return Number.isFinite(value) ? value : null;
}
