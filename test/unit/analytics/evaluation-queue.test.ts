import { describe, expect, test } from '@jest/globals';
import { createEvaluationQueue } from '../../../src/analytics/evaluation-queue.ts';

const NEVER = new AbortController().signal;

interface Gate {
  readonly done: Promise<void>;
  open(): void;
}

function gate(): Gate {
  let open: () => void = () => {};
  const done = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { done, open };
}

describe('the queue of evaluations', () => {
  test('runs one at a time, in order', async () => {
    const queue = createEvaluationQueue(4);
    const events: string[] = [];
    let running = 0;
    const job = (name: string) => async () => {
      running += 1;
      expect(running).toBe(1);
      events.push(name);
      await Promise.resolve();
      running -= 1;
      return name;
    };

    const results = await Promise.all(['a', 'b', 'c'].map((name) => queue.run(job(name), NEVER)));

    expect(results).toEqual(['a', 'b', 'c']);
    expect(events).toEqual(['a', 'b', 'c']);
  });

  test('refuses one more than may wait, and says when to come back', async () => {
    const queue = createEvaluationQueue(1);
    const first = gate();
    const running = queue.run(() => first.done, NEVER);
    const waiting = queue.run(async () => 'second', NEVER);

    await expect(queue.run(async () => 'third', NEVER)).rejects.toMatchObject({
      code: 'overloaded',
      retryAfterMs: 5_000,
    });
    first.open();
    await running;
    expect(await waiting).toBe('second');
    expect(await queue.run(async () => 'fourth', NEVER)).toBe('fourth');
  });

  test('gives up the place of a caller who left', async () => {
    const queue = createEvaluationQueue(1);
    const first = gate();
    const leaving = new AbortController();
    const running = queue.run(() => first.done, NEVER);
    const left = queue.run(async () => 'left', leaving.signal);
    const refused = expect(left).rejects.toMatchObject({ code: 'client_closed' });

    leaving.abort();
    await refused;
    const next = queue.run(async () => 'next', NEVER);
    first.open();
    await running;

    expect(await next).toBe('next');
    await expect(queue.run(async () => 'late', leaving.signal)).rejects.toMatchObject({
      code: 'client_closed',
    });
  });

  test('goes on after a job that failed', async () => {
    const queue = createEvaluationQueue(2);
    const failing = queue.run(() => Promise.reject(new Error('broken')), NEVER);
    const next = queue.run(async () => 'next', NEVER);

    await expect(failing).rejects.toThrow('broken');
    expect(await next).toBe('next');
  });
});
