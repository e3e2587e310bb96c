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
import { GatewayOpenAi } from './gateway-openai.ts';
import { fromOpenAiCompletion } from './openai-answer.ts';
import { openAiFailure } from './openai-failure.ts';
import { type JsonObject, type OpenAiDialect, toOpenAiBody } from './openai-request.ts';
import { OpenAiStreamCollector } from './openai-stream.ts';

export interface OpenAiLanguageModelOptions {
  /** Name in the configuration. */
  readonly provider: string;
  /** With path, for example `https://api.openai.com/v1`. */
  readonly baseUrl: string;
  readonly apiKey: string | null;
  readonly userAgent: string;
  readonly fetch: ThinFetch;
  readonly clock: Clock;
}

/** Any upstream that speaks `POST /chat/completions`: LiteLLM, OpenAI, Ollama, vLLM, llama.cpp. */
export class OpenAiLanguageModel implements LanguageModel {
  readonly provider: string;
  readonly #client: GatewayOpenAi;
  readonly #secret: string | null;
  readonly #clock: Clock;
  readonly #dialect: OpenAiDialect;
  readonly #modelNames: ModelNames;

  constructor(options: OpenAiLanguageModelOptions) {
    this.provider = options.provider;
    this.#client = new GatewayOpenAi(options);
    this.#secret = options.apiKey;
    this.#clock = options.clock;
    const isOpenAi = new URL(options.baseUrl).hostname.endsWith('.openai.com');
    this.#dialect = { maxTokensField: isOpenAi ? 'max_completion_tokens' : 'max_tokens' };
    this.#modelNames = new ModelNames((signal) => this.#listFirstModel(signal), options.clock);
  }

  async generate(request: ModelRequest, signal: AbortSignal): Promise<ModelResult> {
    try {
      const model = await this.#modelNames.resolve(request.model, signal);
      const body = toOpenAiBody(request, model, { ...this.#dialect, stream: false });
      const response = await this.#post(body, request.generationId, signal);
      return this.#completion(response, model, await response.json());
    } catch (thrown) {
      throw this.#failure(thrown, request, signal, null);
    }
  }

  async *stream(
    request: ModelRequest,
    signal: AbortSignal,
  ): AsyncGenerator<ModelStreamEvent, void, undefined> {
    let response: ThinResponse | null = null;
    let collector: OpenAiStreamCollector | null = null;
    let emitted = false;
    try {
      const model = await this.#modelNames.resolve(request.model, signal);
      const body = toOpenAiBody(request, model, { ...this.#dialect, stream: true });
      response = await this.#post(body, request.generationId, signal);
      if (!isEventStream(response)) {
        // Some upstreams ignore `stream` and answer whole.
        yield* wholeAnswerEvents(this.#completion(response, model, await response.json()));
        return;
      }
      collector = new OpenAiStreamCollector(model);
      const batches = readServerSentEvents(response.body);
      let sawDone = false;
      while (!sawDone) {
        const batch = await batches.next();
        if (batch.done === true) break;
        for (const { data } of batch.value) {
          if (data.startsWith('[DONE]')) {
            sawDone = true;
            break;
          }
          if (data === '') continue;
          const chunk: unknown = JSON.parse(data);
          if (isObject(chunk) && chunk['error'] !== undefined && chunk['error'] !== null) {
            throw errorWithin200(chunk, this.#secret);
          }
          for (const event of collector.add(chunk)) {
            emitted = true;
            yield event;
          }
        }
      }
      if (sawDone) await finishStream(batches, response, this.#clock);
      if (signal.aborted && !sawDone) throw abortedFailure();
      if (!sawDone && !collector.finished) throw cutShort(emitted);
      yield { kind: 'done', result: collector.result() };
    } catch (thrown) {
      throw this.#failure(thrown, request, signal, emitted ? collector : null);
    } finally {
      // Reached also when the reader of this stream stops early: the upstream must not go on generating.
      response?.cancel();
    }
  }

  #post(body: JsonObject, generationId: string, signal: AbortSignal): Promise<ThinResponse> {
    const headers = { 'x-litellm-call-id': generationId, 'x-request-id': generationId };
    return this.#client.postChat(body, headers, signal);
  }

  #completion(response: ThinResponse, model: string, body: unknown): ModelResult {
    return fromOpenAiCompletion(body, {
      modelRequested: model,
      costHeader: response.headers.get('x-litellm-response-cost'),
      secret: this.#secret,
    });
  }

  async #listFirstModel(signal: AbortSignal): Promise<string | null> {
    try {
      const response = await this.#client.listModels(signal);
      return firstModelId(await response.json());
    } catch (thrown) {
      if (signal.aborted) throw abortedFailure();
      throw openAiFailure(thrown, { secret: this.#secret, nowMs: this.#clock.nowMs() });
    }
  }

  #failure(
    thrown: unknown,
    request: ModelRequest,
    signal: AbortSignal,
    collector: OpenAiStreamCollector | null,
  ): ProviderFailure {
    const partial = collector === null ? undefined : { text: collector.text, usage: collector.usage };
    if (signal.aborted) return withPartial(abortedFailure(thrown), partial);
    const failure = openAiFailure(thrown, {
      secret: this.#secret,
      nowMs: this.#clock.nowMs(),
      ...(partial === undefined ? {} : { partial }),
    });
    if (request.model === 'auto') this.#modelNames.reconsider(failure);
    return failure;
  }
}
