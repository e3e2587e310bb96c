import { AppError } from '../../src/kernel/index.ts';
import type {
  GenerateReply,
  GenerateRequest,
  GenerateService,
  GenerateStreamEvent,
  GenerationAnswer,
} from '../../src/serving/index.ts';

export const SCRIPTED_ANSWER: GenerationAnswer = {
  id: 'gen_1',
  prompt: 'tip',
  promptVersion: 'v1',
  promptHash: 'sha256:tip-v1',
  versionSource: 'default',
  label: null,
  experiment: null,
  arm: null,
  propensity: null,
  route: 'default',
  createdAtMs: Date.UTC(2026, 0, 5, 10),
  text: 'Take a walk.',
  output: null,
  toolCalls: [],
  provider: 'litellm',
  model: 'gpt-4o-mini',
  degraded: false,
  finishReason: 'stop',
  usage: { inputTokens: 31, outputTokens: 18, cachedInputTokens: null, reasoningTokens: null },
  costNanoUsd: 120_000,
  latencyMs: 412,
  attempts: 1,
  recorded: true,
  rawMessage: null,
  logprobs: undefined,
};

export const SCRIPTED_TIMING = { renderMs: 0.25, providerMs: 400, commitMs: 1.5, totalMs: 413 };

export interface ScriptedGenerateService extends GenerateService {
  readonly requests: GenerateRequest[];
  /** What the next calls of `generate` do. */
  onGenerate(behaviour: (request: GenerateRequest, signal: AbortSignal) => Promise<GenerateReply>): void;
  /** What the next calls of `stream` yield. */
  onStream(
    behaviour: (request: GenerateRequest, signal: AbortSignal) => AsyncIterable<GenerateStreamEvent>,
  ): void;
}

/** Stands for the serving room: says what it is told and keeps what it was asked. */
export function scriptedGenerateService(): ScriptedGenerateService {
  const requests: GenerateRequest[] = [];
  let generate: GenerateService['generate'] = async () => answered();
  let stream: GenerateService['stream'] = () => streamOf('Take ', 'a ', 'walk.');
  return {
    requests,
    onGenerate: (behaviour) => {
      generate = behaviour;
    },
    onStream: (behaviour) => {
      stream = behaviour;
    },
    generate: (request, signal) => {
      requests.push(request);
      return generate(request, signal);
    },
    stream: (request, signal) => {
      requests.push(request);
      return stream(request, signal);
    },
  };
}

export function answered(changes: Partial<GenerationAnswer> = {}): GenerateReply {
  return {
    kind: 'answer',
    answer: { ...SCRIPTED_ANSWER, ...changes },
    timing: SCRIPTED_TIMING,
    replayed: false,
  };
}

/** start, the texts, end. */
export async function* streamOf(...texts: readonly string[]): AsyncGenerator<GenerateStreamEvent> {
  yield { kind: 'start', head: SCRIPTED_ANSWER };
  for (const text of texts) yield { kind: 'text', text };
  yield {
    kind: 'end',
    answer: { ...SCRIPTED_ANSWER, text: texts.join('') },
    timing: SCRIPTED_TIMING,
    outputFaults: [],
    replayed: false,
  };
}

/** Settles when the caller leaves, as the real service does. */
export function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const leave = (): void => reject(new AppError('client_closed', 'the caller closed the connection'));
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave, { once: true });
  });
}
