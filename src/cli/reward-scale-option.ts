import { InvalidArgumentError, Option } from 'commander';

/** Smallest and largest reward there can be. */
export interface RewardScale {
  readonly min: number;
  readonly max: number;
}

/** `--reward-range MIN,MAX` and the like. */
export function rewardScaleOption(flags: string): Option {
  return new Option(flags, 'smallest and largest reward there can be')
    .default({ min: 0, max: 1 } satisfies RewardScale, '0,1')
    .argParser(readScale);
}

function readScale(text: string): RewardScale {
  const parts = text.split(',').map((part) => part.trim());
  const [min = Number.NaN, max = Number.NaN] = parts.map((part) => (part === '' ? Number.NaN : Number(part)));
  // An overflowing width would make every rescaled reward 0.
  if (parts.length === 2 && min < max && Number.isFinite(max - min)) return { min, max };
  throw new InvalidArgumentError('expected MIN,MAX with MIN below MAX, for example -1,1.');
}
