import { describe, expect, test } from '@jest/globals';
import { ProviderFailure } from '../../../src/providers/index.ts';
import { firstModelId, ModelNames } from '../../../src/providers/model-names.ts';
import { manualClock } from '../../fakes/manual-clock.ts';
import { failureOf } from '../../helpers/model-request.ts';
import { NEVER_ABORTED } from '../../helpers/route-for-test.ts';

function namesListing(...answers: readonly (string | null | ProviderFailure)[]) {
  let asked = 0;
  const names = new ModelNames(async () => {
    const answer = answers[Math.min(asked, answers.length - 1)] ?? null;
    asked += 1;
    if (answer instanceof ProviderFailure) throw answer;
    return answer;
  }, manualClock());
  return { names, asked: () => asked };
}

describe('the model name auto', () => {
  test('is the first model listed, asked for once', async () => {
    const { names, asked } = namesListing('model-a', 'model-b');

    const resolved = await Promise.all([1, 2].map(() => names.resolve('auto', NEVER_ABORTED)));

    expect(resolved).toEqual(['model-a', 'model-a']);
    expect(asked()).toBe(1);
  });

  test('is no other name', async () => {
    const { names, asked } = namesListing('model-a');

    expect(await names.resolve('gpt-4o-mini', NEVER_ABORTED)).toBe('gpt-4o-mini');
    expect(asked()).toBe(0);
  });

  test.each([
    [null],
    [new ProviderFailure('bad_response', 'a page', { status: 200 })],
    [new ProviderFailure('bad_request', 'no such path', { status: 404 })],
  ])('is "default" when the upstream has no list to give (%p)', async (answer) => {
    expect(await namesListing(answer).names.resolve('auto', NEVER_ABORTED)).toBe('default');
  });

  test.each(['auth', 'connection', 'server'] as const)(
    'fails the call when the list fails with %s, and is asked for again',
    async (failureClass) => {
      const { names } = namesListing(new ProviderFailure(failureClass, 'scripted'), 'model-a');

      expect(await failureOf(names.resolve('auto', NEVER_ABORTED))).toMatchObject({ failureClass });
      expect(await names.resolve('auto', NEVER_ABORTED)).toBe('model-a');
    },
  );

  test('is reconsidered after a failure that another model explains', async () => {
    const { names } = namesListing('model-a', 'model-b');
    await names.resolve('auto', NEVER_ABORTED);

    names.reconsider(new ProviderFailure('rate_limit', 'scripted'));
    expect(await names.resolve('auto', NEVER_ABORTED)).toBe('model-a');
    names.reconsider(new ProviderFailure('bad_request', 'no such model'));
    expect(await names.resolve('auto', NEVER_ABORTED)).toBe('model-b');
  });

  test('does not keep a caller who leaves, and goes on for the others', async () => {
    let answer: (id: string) => void = () => {};
    const names = new ModelNames(
      () =>
        new Promise((resolve) => {
          answer = resolve;
        }),
      manualClock(),
    );
    const leaving = new AbortController();
    const left = failureOf(names.resolve('auto', leaving.signal));
    const stayed = names.resolve('auto', NEVER_ABORTED);

    leaving.abort();
    answer('model-a');

    expect(await left).toMatchObject({ failureClass: 'aborted' });
    expect(await stayed).toBe('model-a');
  });

  test('is given up after five seconds', async () => {
    const clock = manualClock();
    const names = new ModelNames(
      (signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(new ProviderFailure('aborted', 'aborted')));
        }),
      clock,
    );

    const failed = failureOf(names.resolve('auto', NEVER_ABORTED));
    await clock.advance(5_000);

    expect(await failed).toMatchObject({ failureClass: 'timeout' });
  });

  test.each([
    [{ data: [{ id: 'a' }, { id: 'b' }] }, 'a'],
    [{ data: [] }, null],
    [{ data: [{ id: '' }] }, null],
    [{ data: 'a' }, null],
    ['text', null],
    [null, null],
  ])('is read from %j as %p', (body, expected) => {
    expect(firstModelId(body)).toBe(expected);
  });
});
