import { expect, test } from '@jest/globals';
import { traceIdOf } from '../../../src/http/trace-parent.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';

test.each([
  [`00-${TRACE}-${PARENT}-01`, TRACE],
  [`cc-${TRACE}-${PARENT}-00-what-the-future-will-be-like`, TRACE],
  [`00-${TRACE}-${PARENT}-01-extra`, null],
  [`ff-${TRACE}-${PARENT}-01`, null],
  [`00-${TRACE.toUpperCase()}-${PARENT}-01`, null],
  [`00-${'0'.repeat(32)}-${PARENT}-01`, null],
  [`00-${TRACE}-${'0'.repeat(16)}-01`, null],
  [`00-${TRACE}-${PARENT}`, null],
  [`01-${TRACE}-${PARENT}-01-${'x'.repeat(600)}`, null],
  [undefined, null],
])('of %s the trace id is %s', (traceParent, traceId) => {
  expect(traceIdOf(traceParent)).toBe(traceId);
});
