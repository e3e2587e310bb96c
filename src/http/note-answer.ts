import type { GenerationAnswer } from '../serving/index.ts';
import type { RequestScope } from './request-scope.ts';

export function headFields(
  head: Pick<GenerationAnswer, 'id' | 'prompt' | 'promptVersion'>,
): Record<string, unknown> {
  return { generation_id: head.id, prompt: head.prompt, prompt_version: head.promptVersion };
}

/** Facts of an answer for the request's log line: never its text. */
export function noteAnswer(answer: GenerationAnswer, scope: RequestScope): void {
  scope.logFields = {
    ...headFields(answer),
    provider: answer.provider,
    model: answer.model,
    latency_ms: answer.latencyMs,
    input_tokens: answer.usage.inputTokens,
    output_tokens: answer.usage.outputTokens,
    attempts: answer.attempts,
    degraded: answer.degraded,
    recorded: answer.recorded,
  };
}
