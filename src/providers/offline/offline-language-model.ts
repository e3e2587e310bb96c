import { sha256Hex } from '../../kernel/index.ts';
import {
  type LanguageModel,
  type ModelRequest,
  type ModelResult,
  type ModelStreamEvent,
  UNKNOWN_USAGE,
} from '../language-model.ts';
import { ProviderFailure } from '../provider-failure.ts';

/** What the answers of this adapter name as their model. */
export const OFFLINE_MODEL = 'authored';

/**
 * Authored lines of the prompt as the text of last resort. Which line is decided by the generation id: the same call
 * gives the same line, different calls spread over all of them.
 *
 * Fails with `bad_request` when the prompt has no lines; the route never asks then, so an earlier failure stands.
 */
export class OfflineLanguageModel implements LanguageModel {
  readonly provider: string;

  constructor(provider: string) {
    this.provider = provider;
  }

  async generate(request: ModelRequest, signal: AbortSignal): Promise<ModelResult> {
    throwIfAborted(signal, '');
    return authoredResult(authoredLine(request));
  }

  async *stream(
    request: ModelRequest,
    signal: AbortSignal,
  ): AsyncGenerator<ModelStreamEvent, void, undefined> {
    throwIfAborted(signal, '');
    const line = authoredLine(request);
    let sent = '';
    for (const text of wordPieces(line)) {
      sent += text;
      yield { kind: 'text', text };
      throwIfAborted(signal, sent);
    }
    yield { kind: 'done', result: authoredResult(line) };
  }
}

function authoredLine(request: ModelRequest): string {
  const { fallbackLines, generationId } = request;
  const hash = Number.parseInt(sha256Hex(generationId).slice(0, 8), 16);
  const line = fallbackLines[hash % fallbackLines.length];
  if (line === undefined) {
    throw new ProviderFailure('bad_request', 'the prompt has no authored lines (gateway.fallback)');
  }
  return line;
}

/** Words with the space before them: joined, they are the line again. */
export function wordPieces(line: string): readonly string[] {
  return line.match(/\s*\S+(?:\s+$)?|\s+$/g) ?? [];
}

function authoredResult(text: string): ModelResult {
  return {
    text,
    toolCalls: [],
    model: OFFLINE_MODEL,
    finishReason: { unified: 'stop', raw: null },
    usage: UNKNOWN_USAGE,
    upstreamCostNanoUsd: null,
    upstreamId: null,
    rawMessage: null,
  };
}

function throwIfAborted(signal: AbortSignal, sent: string): void {
  if (!signal.aborted) return;
  const partial = sent === '' ? {} : { partial: { text: sent, usage: null } };
  throw new ProviderFailure('aborted', 'the call was aborted', partial);
}
