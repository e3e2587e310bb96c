import type { Fault, ModelParameters } from '../kernel/index.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

type NumberField = Exclude<keyof ModelParameters, 'stopSequences'>;

const NUMBER_FIELDS: Readonly<Record<string, NumberField>> = {
  temperature: 'temperature',
  top_p: 'topP',
  top_k: 'topK',
  max_output_tokens: 'maxOutputTokens',
  max_tokens: 'maxOutputTokens',
  seed: 'seed',
  frequency_penalty: 'frequencyPenalty',
  presence_penalty: 'presencePenalty',
};

/** `parameters` of a target as the configuration spells them; what is wrong with them goes into `faults`. */
export function parseTargetParameters(
  raw: Readonly<Record<string, unknown>> | undefined,
  path: string,
  faults: Fault[],
): ModelParameters {
  const parameters: Mutable<ModelParameters> = {};
  for (const [name, value] of Object.entries(raw ?? {})) {
    const field = Object.hasOwn(NUMBER_FIELDS, name) ? NUMBER_FIELDS[name] : undefined;
    if (field !== undefined) {
      if (typeof value === 'number' && Number.isFinite(value)) parameters[field] = value;
      else faults.push({ path: `${path}.${name}`, message: 'must be a number' });
    } else if (name === 'stop' || name === 'stop_sequences') {
      const list: unknown = typeof value === 'string' ? [value] : value;
      if (Array.isArray(list) && list.every((item): item is string => typeof item === 'string')) {
        parameters.stopSequences = list;
      } else {
        faults.push({ path: `${path}.${name}`, message: 'must be text or a list of texts' });
      }
    } else {
      const known = [...Object.keys(NUMBER_FIELDS), 'stop'].join(', ');
      faults.push({ path: `${path}.${name}`, message: `is not a parameter; known are ${known}` });
    }
  }
  return parameters;
}
