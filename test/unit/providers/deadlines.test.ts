import { expect, test } from '@jest/globals';
import { Deadlines } from '../../../src/providers/route/deadlines.ts';
import { manualClock } from '../../fakes/manual-clock.ts';

function openDeadlines(totalMs = 1_000) {
  const clock = manualClock();
  const deadlines = new Deadlines(totalMs, clock);
  const expired: string[] = [];
  const begin = (name: string) => deadlines.begin(clock.monotonicMs(), () => expired.push(name));
  return { clock, begin, expired };
}

test('expires every call at its own time, with one timer', async () => {
  const { clock, begin, expired } = openDeadlines();
  begin('a');
  await clock.advance(400);
  begin('b');
  begin('c');

  expect(clock.sleeping).toBe(1);
  await clock.advance(599);
  expect(expired).toEqual([]);
  await clock.advance(1);
  expect(expired).toEqual(['a']);
  await clock.advance(399);
  expect(expired).toEqual(['a']);
  await clock.advance(1);
  expect(expired).toEqual(['a', 'b', 'c']);
  expect(clock.sleeping).toBe(0);
});

test('spares the calls that ended before, and holds no timer without a call', async () => {
  const { clock, begin, expired } = openDeadlines();
  const end = begin('ended');
  begin('late');
  end();
  end();

  await clock.advance(1_000);
  expect(expired).toEqual(['late']);
  const endLast = begin('last');
  expect(clock.sleeping).toBe(1);
  endLast();
  expect(clock.sleeping).toBe(0);
});

test('watches a call that begins in the turn in which the last one ended', async () => {
  const { clock, begin, expired } = openDeadlines();
  const end = begin('first');
  end();
  begin('second');

  await clock.advance(1_000);
  expect(expired).toEqual(['second']);
});
