import type { RouteConfig } from '../config/index.ts';
import type { ModelParameters } from '../kernel/index.ts';

type WrittenParameters = RouteConfig['targets'][number]['parameters'];

/** `parameters` of a target, from the configuration's words into ours. */
export function toModelParameters(written: WrittenParameters): ModelParameters {
  if (written === undefined) return {};
  const { temperature, top_p: topP, top_k: topK, max_output_tokens: maxOutputTokens, stop, seed } = written;
  return {
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { topP }),
    ...(topK === undefined ? {} : { topK }),
    ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
    ...(stop === undefined ? {} : { stopSequences: stop }),
    ...(seed === undefined ? {} : { seed }),
  };
}
