import { describe, expect, test } from '@jest/globals';
import { AppError } from '../../../src/kernel/index.ts';
import type { GenerationRecord } from '../../../src/ledger/index.ts';
import { renderAgain } from '../../../src/serving/index.ts';
import { scriptedRegistry, scriptedVersion } from '../../fakes/scripted-prompts.ts';
import { generationRecord } from '../../helpers/ledger-records.ts';

const V1 = scriptedVersion('tip', 'v1');
const failingWith = (error: Error) =>
  scriptedVersion('tip', 'v1', {
    render: () => {
      throw error;
    },
  });

function rendered(given: Partial<GenerationRecord>, version = V1) {
  const record = generationRecord({
    id: 'gen_1',
    promptHash: version.hash,
    variables: { mood: 'sad' },
    ...given,
  });
  return renderAgain(record, scriptedRegistry([version]));
}

const said = (text: string) => [{ role: 'user', content: [{ kind: 'text', text }] }] as const;

describe('what a call was sent', () => {
  test('is rendered again from the recorded values', () => {
    expect(rendered({})).toEqual({ source: 'reconstructed', messages: said('v1 sad'), missing: null });
  });

  test('has the earlier turns of a chat in front', () => {
    const turns = said('before');

    expect(rendered({ surface: 'chat', messages: turns })).toMatchObject({
      source: 'reconstructed',
      messages: [...turns, ...said('v1 sad')],
    });
  });

  test('of a call without a prompt is what was passed through', () => {
    const record = { prompt: null, promptVersion: null, promptHash: null, variables: null };

    expect(rendered({ ...record, messages: said('hello') })).toEqual({
      source: 'recorded',
      messages: said('hello'),
      missing: null,
    });
    expect(rendered({ ...record, messages: null }).missing).toBe('not_recorded');
  });

  test('is not made up where it cannot be known', () => {
    expect(rendered({ promptHash: 'sha256:other' }).missing).toBe('content_changed');
    expect(rendered({ promptVersion: 'v9' }).missing).toBe('version_gone');
    expect(rendered({ prompt: 'gone' }).missing).toBe('version_gone');
    expect(rendered({ variables: null }).missing).toBe('not_recorded');
    expect(rendered({ surface: 'chat', messages: null, text: null }).missing).toBe('not_recorded');
    expect(rendered({ variables: { user: [{ mail: '[redacted]' }] } }).missing).toBe('redacted');
    expect(rendered({ profileFeatures: { city: '[redacted]' } }).missing).toBe('redacted');
  });

  test('does not fit any more where the version refuses its values', () => {
    const refusing = failingWith(new AppError('template_input_invalid', 'no'));

    expect(rendered({}, refusing)).toEqual({ source: null, messages: null, missing: 'render_failed' });
  });

  test('a fault of our own is not taken for one of the values', () => {
    expect(() => rendered({}, failingWith(new TypeError('a bug')))).toThrow('a bug');
  });
});
