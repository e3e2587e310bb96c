import { nearestName } from '../kernel/index.ts';
import type { LoggedDecision } from '../statistics/index.ts';
import type { MetricScale } from './metric-scale.ts';

/** Logged probabilities are often rounded, to three digits at the least: three times 0.333 are 0.999. */
const ROUNDED_SUM_TOLERANCE = 1e-3;

/** Nearer to 1 than that nothing is scaled: the log's own numbers count. */
const EXACT_SUM_TOLERANCE = 1e-6;

/** An arm that was chosen with less was not chosen with that: it is rounding, or a propensity made up later. */
const LEAST_CHOSEN_PROPENSITY = 1e-12;

const KNOWN_KEYS = ['propensities', 'chosen', 'reward', 'target', 'q_hat'];

/** A faulty value in a message: enough to find it. */
const SHOWN_CHARACTERS = 40;

/**
 * One line of a decision log, `{"propensities": […], "chosen": 0, "reward": 1, "target": […], "q_hat": […]}` with `q_hat`
 * optional; further keys are the log's own business, unless they look like a misspelt `q_hat`. Null when it is faulty,
 * with every fault told to `onFault`. Rewards (`true` and `false` are 1 and 0) and estimates must lie on `scale`.
 * Probabilities whose sum is off 1 by rounding are scaled to 1.
 */
export function readDecision(
  line: string,
  scale: MetricScale,
  onFault: (message: string) => void,
): LoggedDecision | null {
  let isSound = true;
  const refuse = (message: string): null => {
    isSound = false;
    onFault(message);
    return null;
  };
  const record = parseObject(line, refuse);
  if (record === null) return null;

  const propensities = numbersOf(record, 'propensities', refuse);
  const target = numbersOf(record, 'target', refuse);
  // Some writers put null for what they do not have.
  const qHat = record['q_hat'] == null ? undefined : numbersOf(record, 'q_hat', refuse);
  const reward = rewardOf(record, refuse);
  const chosen = numberOf(record, 'chosen', refuse);
  if (qHat === undefined) refuseMisspelling(record, refuse);
  if (propensities !== null) {
    checkDistribution(propensities, 'propensities', refuse);
    if (chosen !== null) checkChosen(chosen, propensities, refuse);
    checkLength(target, 'target', propensities, refuse);
    checkLength(qHat ?? null, 'q_hat', propensities, refuse);
  }
  if (target !== null) checkDistribution(target, 'target', refuse);
  if (reward !== null) checkOnScale(reward, 'reward', scale, refuse);
  for (const [arm, value] of (qHat ?? []).entries()) checkOnScale(value, `q_hat[${arm}]`, scale, refuse);

  if (!isSound || propensities === null || target === null || reward === null || chosen === null) return null;
  return {
    propensities: scaledToOne(propensities),
    chosen,
    reward,
    target: scaledToOne(target),
    ...(qHat == null ? {} : { qHat }),
  };
}

type Refuse = (message: string) => null;
type JsonRecord = Readonly<Record<string, unknown>>;

function parseObject(line: string, refuse: Refuse): JsonRecord | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return refuse(`is not JSON: ${shown(line)}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return refuse(`expected an object with propensities, chosen, reward and target, got ${shown(line)}`);
  }
  return value as JsonRecord;
}

function numbersOf(record: JsonRecord, key: string, refuse: Refuse): readonly number[] | null {
  const value = record[key];
  if (value === undefined) return refuse(missing(record, key));
  if (!Array.isArray(value) || value.length === 0) {
    return refuse(`${key}: expected a list with a number for each arm, got ${shown(JSON.stringify(value))}`);
  }
  const wrong = value.findIndex((entry) => typeof entry !== 'number' || !Number.isFinite(entry));
  if (wrong === -1) return value;
  return refuse(`${key}[${wrong}]: expected a number, got ${shown(JSON.stringify(value[wrong]))}`);
}

function numberOf(record: JsonRecord, key: string, refuse: Refuse): number | null {
  const value = record[key];
  if (value === undefined) return refuse(missing(record, key));
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  return refuse(`${key}: expected a number, got ${shown(JSON.stringify(value))}`);
}

function rewardOf(record: JsonRecord, refuse: Refuse): number | null {
  const value = record['reward'];
  return typeof value === 'boolean' ? Number(value) : numberOf(record, 'reward', refuse);
}

function missing(record: JsonRecord, key: string): string {
  const unknown = Object.keys(record).filter((name) => !KNOWN_KEYS.includes(name));
  const near = nearestName(key, unknown);
  return near === null ? `${key} is missing` : `${key} is missing (is ${shown(JSON.stringify(near))} meant?)`;
}

/** An ignored `qHat` would silently take the three best estimators away. */
function refuseMisspelling(record: JsonRecord, refuse: Refuse): void {
  const unknown = Object.keys(record).filter((name) => !KNOWN_KEYS.includes(name));
  const misspelt = unknown.find((name) => nearestName(name, KNOWN_KEYS) === 'q_hat');
  if (misspelt !== undefined) refuse(`unknown key ${JSON.stringify(misspelt)} (did you mean "q_hat"?)`);
}

function checkLength(
  values: readonly number[] | null,
  key: string,
  { length }: readonly number[],
  refuse: Refuse,
): void {
  if (values === null || values.length === length) return;
  refuse(`${key}: expected ${length} numbers, as many as propensities, got ${values.length}`);
}

function checkDistribution(values: readonly number[], key: string, refuse: Refuse): void {
  const wrong = values.findIndex((value) => value < 0 || value > 1 + ROUNDED_SUM_TOLERANCE);
  if (wrong !== -1) {
    refuse(`${key}[${wrong}]: expected a probability within [0, 1], got ${values[wrong]}`);
    return;
  }
  const sum = sumOf(values);
  if (Math.abs(sum - 1) > ROUNDED_SUM_TOLERANCE) {
    refuse(`${key}: expected probabilities that sum to 1, got a sum of ${Number(sum.toPrecision(9))}`);
  }
}

function scaledToOne(values: readonly number[]): readonly number[] {
  const sum = sumOf(values);
  return Math.abs(sum - 1) <= EXACT_SUM_TOLERANCE ? values : values.map((value) => value / sum);
}

function sumOf(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function checkChosen(chosen: number, propensities: readonly number[], refuse: Refuse): void {
  const propensity = propensities[chosen];
  if (propensity === undefined) {
    refuse(`chosen: expected the index of an arm, 0 to ${propensities.length - 1}, got ${chosen}`);
  } else if (propensity < LEAST_CHOSEN_PROPENSITY) {
    refuse(
      `propensities[${chosen}]: expected at least ${LEAST_CHOSEN_PROPENSITY}, for this arm was chosen, got ${propensity}`,
    );
  }
}

function checkOnScale(value: number, key: string, { min, max }: MetricScale, refuse: Refuse): void {
  if (value >= min && value <= max) return;
  refuse(
    `${key}: expected a number within [${min}, ${max}], got ${value} (declare another range with --reward-range)`,
  );
}

function shown(text: string | undefined): string {
  const whole = text ?? 'nothing';
  return whole.length > SHOWN_CHARACTERS ? `${whole.slice(0, SHOWN_CHARACTERS)}…` : whole;
}
