import { ProviderFailure } from '../../src/providers/index.ts';
import { OfflineLanguageModel } from '../../src/providers/offline/index.ts';
import { type Script, scriptedLanguageModel } from '../fakes/scripted-language-model.ts';
import { adapterForTest, transportForTest } from '../helpers/adapter-for-test.ts';
import { STUB_TEXT, type StubBehaviour, startStubUpstream } from '../helpers/stub-upstream.ts';
import {
  type Behaviour,
  describeLanguageModel,
  type LanguageModelUnderTest,
} from './language-model.contract.ts';

const STUB_BEHAVIOURS: Readonly<Record<Behaviour, StubBehaviour>> = {
  answer: 'ok',
  server_error: 'server-error',
  hang: 'slow',
  hang_after_content: 'hang-after-content',
  fail_after_content: 'cut',
};

function openAdapter(kind: 'openai' | 'anthropic') {
  return async (behaviour: Behaviour): Promise<LanguageModelUnderTest> => {
    const upstream = await startStubUpstream(STUB_BEHAVIOURS[behaviour]);
    const transport = transportForTest();
    return {
      model: adapterForTest({ kind, origin: upstream.origin, transport }),
      received: () => upstream.received(),
      cancelled: () => upstream.cancelled(),
      close: async () => {
        await transport.close();
        await upstream.close();
      },
    };
  };
}

describeLanguageModel('openai', { text: STUB_TEXT, open: openAdapter('openai') });
describeLanguageModel('anthropic', { text: STUB_TEXT, open: openAdapter('anthropic') });

const NO_UPSTREAM = { received: null, cancelled: null, close: async () => {} };
const hasNone = 'authored lines have no upstream that could';

describeLanguageModel('offline', {
  text: 'Take a short walk.',
  open: async () => ({ model: new OfflineLanguageModel('offline'), ...NO_UPSTREAM }),
  skip: [
    { behaviour: 'server_error', reason: `${hasNone} fail` },
    { behaviour: 'hang', reason: `${hasNone} hang` },
    { behaviour: 'hang_after_content', reason: `${hasNone} hang` },
    { behaviour: 'fail_after_content', reason: `${hasNone} break` },
  ],
});

const failure = new ProviderFailure('server', 'scripted');
const SCRIPTS: Readonly<Record<Behaviour, Script>> = {
  answer: { kind: 'answer', text: STUB_TEXT },
  server_error: { kind: 'fail', failure },
  hang: { kind: 'hang' },
  hang_after_content: { kind: 'hang', after: ['Take ', 'a '] },
  fail_after_content: { kind: 'fail', failure, after: ['Take ', 'a '] },
};

describeLanguageModel('the scripted fake', {
  text: STUB_TEXT,
  open: async (behaviour) => ({
    model: scriptedLanguageModel('scripted', SCRIPTS[behaviour]),
    ...NO_UPSTREAM,
  }),
});
