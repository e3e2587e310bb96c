import { afterEach, describe, expect, test } from '@jest/globals';
import { type LanguageModel, type ModelStreamEvent, ProviderFailure } from '../../src/providers/index.ts';
import { collectStream, failureOf, modelRequest } from '../helpers/model-request.ts';

/** What the upstream behind a model does. */
export type Behaviour = 'answer' | 'server_error' | 'hang' | 'hang_after_content' | 'fail_after_content';

export interface LanguageModelUnderTest {
  readonly model: LanguageModel;
  /** Resolves once the upstream has the call; null where there is no upstream. */
  readonly received: (() => Promise<void>) | null;
  /** Resolves once the upstream saw its call cancelled; null where there is no upstream. */
  readonly cancelled: (() => Promise<void>) | null;
  close(): Promise<void>;
}

export interface LanguageModelContractOptions {
  /** The text the upstream answers with, in several pieces where it streams. */
  readonly text: string;
  readonly open: (behaviour: Behaviour) => Promise<LanguageModelUnderTest>;
  /** Behaviours this model cannot show, with the reason. */
  readonly skip?: readonly { readonly behaviour: Behaviour; readonly reason: string }[];
}

const NEVER_ABORTED = new AbortController().signal;
const request = modelRequest({ fallbackLines: ['Take a short walk.'] });

/** What the route relies on, for every implementation of the port. */
export function describeLanguageModel(name: string, options: LanguageModelContractOptions): void {
  const skipped = new Map(options.skip?.map(({ behaviour, reason }) => [behaviour, reason]));
  const opened: LanguageModelUnderTest[] = [];
  const open = async (behaviour: Behaviour): Promise<LanguageModelUnderTest> => {
    const subject = await options.open(behaviour);
    opened.push(subject);
    return subject;
  };
  const when = (behaviour: Behaviour, title: string, body: () => Promise<void>): void => {
    const reason = skipped.get(behaviour);
    if (reason === undefined) test(title, body);
    else test.skip(`${title} (${reason})`, body);
  };

  describe(`${name} as a language model`, () => {
    afterEach(async () => {
      for (const subject of opened.splice(0)) await subject.close();
    });

    when('answer', 'answers with text, a finish reason and counts or null', async () => {
      const { model } = await open('answer');

      const result = await model.generate(request, NEVER_ABORTED);

      expect(result.text).toBe(options.text);
      expect(result.finishReason.unified).toBe('stop');
      for (const count of [result.usage.inputTokens, result.usage.outputTokens]) {
        expect(count === null || (Number.isSafeInteger(count) && count > 0)).toBe(true);
      }
      expect(result.model).not.toBe('');
    });

    when('answer', 'streams the same text in pieces and ends with the whole result', async () => {
      const { model } = await open('answer');

      const { events, text, result } = await collectStream(model.stream(request, NEVER_ABORTED));

      expect(text).toBe(options.text);
      expect(result?.text).toBe(options.text);
      expect(result?.finishReason.unified).toBe('stop');
      expect(events.filter((event) => event.kind === 'text').length).toBeGreaterThan(1);
      expect(events.findIndex((event) => event.kind === 'done')).toBe(events.length - 1);
      expect(events.every((event) => event.kind !== 'text' || event.text !== '')).toBe(true);
    });

    when('answer', 'does nothing for a caller who has already left', async () => {
      const { model } = await open('answer');

      const failures = [
        await failureOf(model.generate(request, AbortSignal.abort())),
        await failureOf(collectStream(model.stream(request, AbortSignal.abort()))),
      ];

      for (const failure of failures) {
        expect(failure).toBeInstanceOf(ProviderFailure);
        expect(failure).toMatchObject({ failureClass: 'aborted', partial: undefined });
      }
    });

    when('answer', 'serves many calls at once', async () => {
      const { model } = await open('answer');

      const results = await Promise.all(
        Array.from({ length: 20 }, () => model.generate(request, NEVER_ABORTED)),
      );

      expect(new Set(results.map((result) => result.text))).toEqual(new Set([options.text]));
    });

    when('server_error', 'fails with class server for both kinds of call', async () => {
      const { model } = await open('server_error');

      const failures = [
        await failureOf(model.generate(request, NEVER_ABORTED)),
        await failureOf(collectStream(model.stream(request, NEVER_ABORTED))),
      ];

      for (const failure of failures) {
        expect(failure).toBeInstanceOf(ProviderFailure);
        expect(failure).toMatchObject({ failureClass: 'server', partial: undefined });
      }
    });

    when('hang', 'stops within 100 ms when the signal aborts before the answer', async () => {
      for (const start of [
        (model: LanguageModel, signal: AbortSignal) => model.generate(request, signal),
        (model: LanguageModel, signal: AbortSignal) => collectStream(model.stream(request, signal)),
      ]) {
        const { model, received, cancelled } = await open('hang');
        const caller = new AbortController();
        const call = failureOf(start(model, caller.signal));
        // A call aborted before it was sent would never be seen cancelled.
        await received?.();

        const abortedAtMs = performance.now();
        caller.abort();
        const failure = await call;
        await cancelled?.();

        expect(failure).toMatchObject({ failureClass: 'aborted' });
        expect(performance.now() - abortedAtMs).toBeLessThan(100);
      }
    });

    when(
      'hang_after_content',
      'fails with class aborted and what had arrived when aborted in mid-stream',
      async () => {
        const { model, cancelled } = await open('hang_after_content');
        const caller = new AbortController();
        const arrived: string[] = [];

        const failure = await failureOf(
          (async () => {
            for await (const event of model.stream(request, caller.signal)) {
              if (event.kind === 'text') arrived.push(event.text);
              // Once the reader waits for more.
              setImmediate(() => caller.abort());
            }
          })(),
        );
        await cancelled?.();

        expect(failure).toBeInstanceOf(ProviderFailure);
        expect(failure).toMatchObject({ failureClass: 'aborted', partial: { text: arrived.join('') } });
        expect(arrived.join('')).not.toBe('');
      },
    );

    when('hang_after_content', 'stops the upstream when its reader leaves the stream', async () => {
      const { model, cancelled } = await open('hang_after_content');

      for await (const event of model.stream(request, NEVER_ABORTED)) {
        if (event.kind === 'text') break;
      }

      await cancelled?.();
    });

    when('fail_after_content', 'fails with what had arrived when the stream breaks', async () => {
      const { model } = await open('fail_after_content');
      const arrived: ModelStreamEvent[] = [];

      const failure = await failureOf(
        (async () => {
          for await (const event of model.stream(request, NEVER_ABORTED)) arrived.push(event);
        })(),
      );

      const text = arrived.map((event) => (event.kind === 'text' ? event.text : '')).join('');
      expect(text).not.toBe('');
      expect(failure).toBeInstanceOf(ProviderFailure);
      expect((failure as ProviderFailure).failureClass).toMatch(/^(?:connection|server)$/);
      expect(failure).toMatchObject({ partial: { text } });
    });
  });
}
