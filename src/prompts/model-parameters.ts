import { type ModelParameters, nearestName } from '../kernel/index.ts';
import { isPlainObject } from './picoschema.ts';
import { didYouMean } from './source-file.ts';

/** Reads one setting; a string is the fault. */
type ReadSetting = (value: unknown) => { readonly value: number | readonly string[] } | string;

const SETTINGS = {
  temperature: between(0, 2),
  topP: between(0, 1),
  topK: wholeFrom(1),
  maxOutputTokens: wholeFrom(1),
  stopSequences: stopSequences(),
  seed: wholeFrom(Number.MIN_SAFE_INTEGER),
  frequencyPenalty: between(-2, 2),
  presencePenalty: between(-2, 2),
} satisfies Record<keyof ModelParameters, ReadSetting>;

const settingByName: ReadonlyMap<string, ReadSetting> = new Map(Object.entries(SETTINGS));

/** `config` of the front matter. `report` gets the key at fault, or null for `config` itself. */
export function readModelParameters(
  config: unknown,
  report: (key: string | null, message: string) => void,
): ModelParameters {
  if (config === undefined || config === null) return {};
  if (!isPlainObject(config)) {
    report(null, '"config" must be a map of settings, for example config: {temperature: 0.7}');
    return {};
  }
  const parameters: Record<string, number | readonly string[]> = {};
  for (const [key, value] of Object.entries(config)) {
    const read = settingByName.get(key);
    if (read === undefined) {
      report(
        key,
        `unknown key "config.${key}"${didYouMean(nearestName(key, settingByName.keys()))}; known: ${[...settingByName.keys()].join(', ')}`,
      );
      continue;
    }
    const result = read(value);
    if (typeof result === 'string') report(key, `config.${key} must be ${result}`);
    else parameters[key] = result.value;
  }
  return parameters;
}

function between(lowest: number, highest: number): ReadSetting {
  return (value) =>
    typeof value === 'number' && value >= lowest && value <= highest
      ? { value }
      : `a number from ${lowest} to ${highest}`;
}

function wholeFrom(lowest: number): ReadSetting {
  return (value) =>
    typeof value === 'number' && Number.isSafeInteger(value) && value >= lowest
      ? { value }
      : `a whole number${lowest > 0 ? ` of at least ${lowest}` : ''}`;
}

function stopSequences(): ReadSetting {
  return (value) =>
    Array.isArray(value) && value.every((each) => typeof each === 'string' && each !== '')
      ? { value: value.map(String) }
      : 'a list of texts that are not empty';
}
