interface Range {
  readonly min: number;
  readonly max: number;
}

export interface IntervalScale extends Range {
  /** Round values between the ends, both ends included where they are round. */
  readonly ticks: readonly number[];
}

interface ShownInterval {
  readonly lower: number;
  readonly upper: number;
}

const WANTED_STEPS = 5;
/** Steps are at least a fifth of the stretch, and round ends add one on each side. */
const MAX_TICKS = WANTED_STEPS + 3;
const NICE_FACTORS = [1, 2, 2.5, 5, 10];
/** Below it a power of ten loses its digits, and a fifth of the smallest number is 0. */
const SMALLEST_STEP = 1e-300;

/**
 * The stretch of a metric's scale that a plot of these intervals shows: all of them, to round ends, never beyond the
 * scale itself. Without intervals: the whole scale.
 */
export function intervalScale(intervals: readonly ShownInterval[], whole: Range): IntervalScale {
  const lowest = intervals.length === 0 ? whole.min : Math.min(...intervals.map(({ lower }) => lower));
  const highest = intervals.length === 0 ? whole.max : Math.max(...intervals.map(({ upper }) => upper));
  const step = niceStep((highest - lowest || whole.max - whole.min || 1) / WANTED_STEPS);
  const min = Math.max(whole.min, rounded(Math.floor(lowest / step) * step));
  const max = Math.min(whole.max, rounded(Math.ceil(highest / step) * step));
  const ticks: number[] = [];
  const first = Math.ceil(min / step - 1e-9);
  for (let index = 0; index < MAX_TICKS; index += 1) {
    const tick = rounded((first + index) * step);
    // Steps finer than the numbers themselves go nowhere: an interval as narrow as that has one tick.
    if (tick > max + step * 1e-9 || tick === ticks.at(-1)) break;
    ticks.push(tick);
  }
  return { min, max, ticks };
}

/** Where a value stands, in percent of the plot's width; values outside stand at its ends. */
export function positionPercent(value: number, { min, max }: Range): number {
  if (max <= min) return 50;
  return Math.min(100, Math.max(0, ((value - min) / (max - min)) * 100));
}

function niceStep(roughStep: number): number {
  const step = Math.max(roughStep, SMALLEST_STEP);
  const power = 10 ** Math.floor(Math.log10(step));
  const factor = NICE_FACTORS.find((nice) => nice * power >= step) ?? 10;
  return factor * power;
}

/** 0.1 + 0.2 is 0.3 here. */
function rounded(value: number): number {
  return Number(value.toPrecision(12));
}
