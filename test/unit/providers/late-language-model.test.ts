import { expect, test } from '@jest/globals';
import type { LanguageModel, ModelStreamEvent } from '../../../src/providers/language-model.ts';
import { LateLanguageModel } from '../../../src/providers/late-language-model.ts';
import { modelRequest } from '../../helpers/model-request.ts';

const FAILURE = { failureClass: 'bad_response', cause: { message: 'no such module' } };
const SIGNAL = new AbortController().signal;

function textModel(): LanguageModel {
  return {
    provider: 'anthropic',
    generate: async () => {
      throw new Error('the model was asked');
    },
    stream: async function* (): AsyncGenerator<ModelStreamEvent> {
      yield { kind: 'text', text: 'Walk.' };
    },
  };
}

test('lets calls wait for a model that is still being loaded, and then asks it directly', async () => {
  let arrive: (model: LanguageModel) => void = () => {};
  const late = new LateLanguageModel('anthropic', () => new Promise((done) => (arrive = done)));
  const early = late.generate(modelRequest(), SIGNAL);
  const earlyEvents = late.stream(modelRequest(), SIGNAL)[Symbol.asyncIterator]();
  const earlyEvent = earlyEvents.next();

  arrive(textModel());

  await expect(early).rejects.toThrow('the model was asked');
  expect((await earlyEvent).value).toEqual({ kind: 'text', text: 'Walk.' });
  const later = late.stream(modelRequest(), SIGNAL)[Symbol.asyncIterator]();
  expect((await later.next()).value).toEqual({ kind: 'text', text: 'Walk.' });
});

test('fails every call with the reason when the code cannot be loaded', async () => {
  const late = new LateLanguageModel('anthropic', () => Promise.reject(new Error('no such module')));

  await expect(late.generate(modelRequest(), SIGNAL)).rejects.toMatchObject(FAILURE);
  await expect(late.generate(modelRequest(), SIGNAL)).rejects.toMatchObject(FAILURE);
});
