import {
  type LanguageModel,
  type ModelRequest,
  type ModelResult,
  type ModelStreamEvent,
  ProviderFailure,
  type Usage,
} from '../../src/providers/index.ts';

const SCRIPTED_USAGE: Usage = {
  inputTokens: 31,
  outputTokens: 18,
  cachedInputTokens: null,
  reasoningTokens: null,
  raw: { prompt_tokens: 31, completion_tokens: 18 },
};

/** What one call does: answer, fail, never answer, or (streams) give pieces and then answer, fail or fall silent. */
export type Script =
  | { readonly kind: 'answer'; readonly text?: string; readonly fields?: Partial<ModelResult> }
  | { readonly kind: 'fail'; readonly failure: ProviderFailure; readonly after?: readonly string[] }
  | { readonly kind: 'hang'; readonly after?: readonly string[] };

export interface ScriptedLanguageModel extends LanguageModel {
  readonly requests: readonly ModelRequest[];
  /** Calls that were running when their signal aborted, or whose reader left. */
  readonly cancelled: number;
}

/** Plays one script per call, the last one forever. */
export function scriptedLanguageModel(
  provider: string,
  scripts: Script | readonly Script[] = { kind: 'answer' },
): ScriptedLanguageModel {
  const list = Array.isArray(scripts) ? scripts : [scripts as Script];
  const requests: ModelRequest[] = [];
  let cancelled = 0;
  const next = (request: ModelRequest): Script => {
    const script = list[Math.min(requests.length, list.length - 1)];
    if (script === undefined) throw new Error('a scripted model needs a script');
    requests.push(request);
    return script;
  };
  const untilAborted = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
  const aborted = (text: string): ProviderFailure => {
    cancelled += 1;
    return new ProviderFailure('aborted', 'the call was aborted', {
      ...(text === '' ? {} : { partial: { text, usage: null } }),
    });
  };
  return {
    provider,
    requests,
    get cancelled() {
      return cancelled;
    },
    async generate(request, signal) {
      if (signal.aborted) throw aborted('');
      const script = next(request);
      if (script.kind === 'fail') throw script.failure;
      if (script.kind === 'answer') return resultOf(request, script);
      await untilAborted(signal);
      throw aborted('');
    },
    async *stream(request, signal): AsyncGenerator<ModelStreamEvent, void, undefined> {
      if (signal.aborted) throw aborted('');
      const script = next(request);
      let sent = '';
      let isOver = false;
      try {
        const pieces = script.kind === 'answer' ? wordsOf(script.text ?? DEFAULT_TEXT) : (script.after ?? []);
        for (const text of pieces) {
          sent += text;
          yield { kind: 'text', text };
          if (signal.aborted) {
            isOver = true;
            throw aborted(sent);
          }
        }
        if (script.kind === 'hang') {
          await untilAborted(signal);
          isOver = true;
          throw aborted(sent);
        }
        isOver = true;
        if (script.kind === 'answer') {
          yield { kind: 'done', result: resultOf(request, script) };
          return;
        }
        const { failure } = script;
        throw sent === ''
          ? failure
          : new ProviderFailure(failure.failureClass, failure.message, {
              partial: { text: sent, usage: null },
            });
      } finally {
        if (!isOver) cancelled += 1;
      }
    },
  };
}

const DEFAULT_TEXT = 'Take a walk.';

function wordsOf(text: string): readonly string[] {
  return text.match(/\s*\S+/g) ?? [];
}

function resultOf(request: ModelRequest, script: Extract<Script, { kind: 'answer' }>): ModelResult {
  return {
    text: script.text ?? DEFAULT_TEXT,
    toolCalls: [],
    model: request.model,
    finishReason: { unified: 'stop', raw: 'stop' },
    usage: SCRIPTED_USAGE,
    upstreamCostNanoUsd: null,
    upstreamId: null,
    rawMessage: null,
    ...script.fields,
  };
}
