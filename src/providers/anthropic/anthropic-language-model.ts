import { Anthropic } from '@anthropic-ai/sdk';
import type { Clock } from '../../kernel/index.ts';
import { isObject } from '../answer-shape.ts';
import { abortedFailure, cutShort, errorWithin200, withPartial } from '../failure/index.ts';
import type { LanguageModel, ModelRequest, ModelResult, ModelStreamEvent } from '../language-model.ts';
import { firstModelId, ModelNames } from '../model-names.ts';
import type { ProviderFailure } from '../provider-failure.ts';
import {
  finishStream,
  isEventStream,
  readServerSentEvents,
  type ThinFetch,
  type ThinResponse,
} from '../transport/index.ts';
import { wholeAnswerEvents } from '../whole-answer-events.ts';
import { fromAnthropicMessage } from './anthropic-answer.ts';
import { anthropicFailure } from './anthropic-failure.ts';
import { type AnthropicBody, type JsonObject, toAnthropicBody } from './anthropic-request.ts';
import { AnthropicStreamCollector } from './anthropic-stream.ts';

export interface AnthropicLanguageModelOptions {
  /** Name in the configuration. */
  readonly provider: string;
  /** Without `/v1`: the SDK adds it. */
  readonly baseUrl: string;
  readonly apiKey: string | null;
  readonly userAgent: string;
  readonly fetch: ThinFetch;
  readonly clock: Clock;
}

/** The route owns every time limit; the SDK's timer must only never fire. The largest delay `setTimeout` takes. */
const NEVER_MS = 2_147_483_647;

/** Anthropic's API, or LiteLLM's `/v1/messages`. */
export class AnthropicLanguageModel implements LanguageModel {
  readonly provider: string;
  readonly #client: Anthropic;
  readonly #secret: string | null;
  readonly #clock: Clock;
  readonly #modelNames: ModelNames;

  constructor(options: AnthropicLanguageModelOptions) {
    this.provider = options.provider;
    this.#client = new Anthropic({
      baseURL: options.baseUrl,
      // Without any key the SDK would look for credentials of its own.
      apiKey: options.apiKey ?? 'none',
      webhookKey: null,
      maxRetries: 0,
      timeout: NEVER_MS,
      logLevel: 'off',
      openTelemetry: false,
      fetch: options.fetch as unknown as typeof fetch,
      defaultHeaders: { 'User-Agent': options.userAgent },
    });
    this.#secret = options.apiKey;
    this.#clock = options.clock;
    this.#modelNames = new ModelNames((signal) => this.#listFirstModel(signal), options.clock);
  }

  async generate(request: ModelRequest, signal: AbortSignal): Promise<ModelResult> {
    try {
      const model = await this.#modelNames.resolve(request.model, signal);
      const sent = toAnthropicBody(request, model, false);
      const response = await this.#post(sent.body, request.generationId, signal);
      return messageOf(response, { model, sent, body: await response.json() });
    } catch (thrown) {
      throw this.#failure(thrown, request, signal, null);
    }
  }

  async *stream(
    request: ModelRequest,
    signal: AbortSignal,
  ): AsyncGenerator<ModelStreamEvent, void, undefined> {
    let response: ThinResponse | null = null;
    let collector: AnthropicStreamCollector | null = null;
    let emitted = false;
    try {
      const model = await this.#modelNames.resolve(request.model, signal);
      const sent = toAnthropicBody(request, model, true);
      response = await this.#post(sent.body, request.generationId, signal);
      if (!isEventStream(response)) {
        // LiteLLM answers whole where its own upstream does not stream.
        yield* wholeAnswerEvents(messageOf(response, { model, sent, body: await response.json() }));
        return;
      }
      collector = new AnthropicStreamCollector(model, sent.outputTool);
      const batches = readServerSentEvents(response.body);
      let sawStop = false;
      while (!sawStop) {
        const batch = await batches.next();
        if (batch.done === true) break;
        for (const { event: name, data } of batch.value) {
          if (data === '' || data.startsWith('[DONE]')) continue;
          const event: unknown = JSON.parse(data);
          const type = isObject(event) ? event['type'] : undefined;
          if (name === 'error' || type === 'error') throw errorWithin200(event, this.#secret);
          if (type === 'message_stop') {
            sawStop = true;
            break;
          }
          const ours = collector.add(event);
          if (ours === null) continue;
          emitted = true;
          yield ours;
        }
      }
      if (sawStop) await finishStream(batches, response, this.#clock);
      if (signal.aborted && !sawStop) throw abortedFailure();
      if (!sawStop && !collector.finished) throw cutShort(emitted);
      yield { kind: 'done', result: collector.result() };
    } catch (thrown) {
      throw this.#failure(thrown, request, signal, emitted ? collector : null);
    } finally {
      // Reached also when the reader of this stream stops early: the upstream must not go on generating.
      response?.cancel();
    }
  }

  async #post(body: JsonObject, generationId: string, signal: AbortSignal): Promise<ThinResponse> {
    const response = await this.#client
      .post('/v1/messages', {
        body,
        signal,
        headers: { 'x-litellm-call-id': generationId, 'x-request-id': generationId },
      })
      .asResponse();
    // Made by our own fetch, see thin-fetch.ts.
    return response as unknown as ThinResponse;
  }

  async #listFirstModel(signal: AbortSignal): Promise<string | null> {
    try {
      const response = await this.#client.get('/v1/models', { signal }).asResponse();
      return firstModelId(await response.json());
    } catch (thrown) {
      if (signal.aborted) throw abortedFailure(thrown);
      throw anthropicFailure(thrown, { secret: this.#secret, nowMs: this.#clock.nowMs() });
    }
  }

  #failure(
    thrown: unknown,
    request: ModelRequest,
    signal: AbortSignal,
    collector: AnthropicStreamCollector | null,
  ): ProviderFailure {
    const partial = collector === null ? undefined : { text: collector.text, usage: collector.usage };
    if (signal.aborted) return withPartial(abortedFailure(thrown), partial);
    const failure = anthropicFailure(thrown, {
      secret: this.#secret,
      nowMs: this.#clock.nowMs(),
      ...(partial === undefined ? {} : { partial }),
    });
    if (request.model === 'auto') this.#modelNames.reconsider(failure);
    return failure;
  }
}

function messageOf(
  response: ThinResponse,
  of: { readonly model: string; readonly sent: AnthropicBody; readonly body: unknown },
): ModelResult {
  return fromAnthropicMessage(of.body, {
    modelRequested: of.model,
    costHeader: response.headers.get('x-litellm-response-cost'),
    outputTool: of.sent.outputTool,
  });
}
