import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { matchPath, pageHref, pathBelowRoot } from '../../../src/dashboard/match-path.ts';

describe('paths of the page', () => {
  test('give the parameters of the pattern that they fit', () => {
    expect(matchPath('/prompts/:name', '/prompts/tip')).toEqual({ name: 'tip' });
    expect(matchPath('/', '/')).toEqual({});
    expect(matchPath('/prompts/:name', '/prompts/tip/')).toEqual({ name: 'tip' });
  });

  test('fit no pattern of another length or with other words', () => {
    expect(matchPath('/prompts/:name', '/prompts')).toBeNull();
    expect(matchPath('/prompts/:name', '/keys/tip')).toBeNull();
  });

  test('fit nothing when they are not valid percent-encoding', () => {
    expect(matchPath('/prompts/:name', '/prompts/%zz')).toBeNull();
  });

  test('carry every name there and back', () => {
    const name = fc.string({ unit: 'grapheme', minLength: 1 });
    fc.assert(
      fc.property(name, (text) => {
        const below = pathBelowRoot(pageHref('/prompts/:name', { name: text }));

        expect(matchPath('/prompts/:name', below ?? '')).toEqual({ name: text });
      }),
    );
  });

  test('lie below /admin or are not of the page', () => {
    expect(pathBelowRoot('/admin')).toBe('/');
    expect(pathBelowRoot('/admin/keys')).toBe('/keys');
    expect(pathBelowRoot('/administrator')).toBeNull();
  });
});
