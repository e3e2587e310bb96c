import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type ScriptedUpstream, startScriptedUpstream } from '../helpers/scripted-upstream.ts';
import { type LockedGateway, startLockedGateway } from './attacked-gateway.ts';
import { hostileRequests, soundRequests } from './hostile-requests.ts';
import { sendAll, sendRequest } from './send-request.ts';

let upstream: ScriptedUpstream;
let gateway: LockedGateway;
beforeAll(async () => {
  upstream = await startScriptedUpstream();
  gateway = await startLockedGateway(upstream.url);
});
afterAll(async () => {
  await gateway.dispose();
  await upstream.close();
});
const bearer = () => ({ authorization: `Bearer ${gateway.key}` });

/** Every own property of the prototypes that an assignment could reach. */
function prototypes(): string {
  const objects = [Object, Array, String, Number, Boolean, Function, Map, Promise, Error];
  return JSON.stringify(objects.map((each) => Reflect.ownKeys(each.prototype).map(String)));
}

/** `{"variables":{"mood":"x"}}` with a member more in each of its objects, one at a time. */
function withMember(body: string, member: string): readonly string[] {
  const positions = [...body.matchAll(/\{/g)].map((match) => match.index + 1);
  return positions.map((position) => {
    const separator = body[position] === '}' ? '' : ',';
    return `${body.slice(0, position)}${member}${separator}${body.slice(position)}`;
  });
}

describe('a key that could reach a prototype', () => {
  test.each([
    '"__proto__":{"polluted":true}',
    '"__proto__":[]',
    '"__proto__":null',
    '"\\u005f\\u005fproto__":{"polluted":true}',
    '"constructor":{"prototype":{"polluted":true}}',
    '"constru\\u0063tor":{"proto\\u0074ype":{"polluted":true}}',
    '"x":{"y":{"__proto__":{"polluted":true}}}',
    '"x":[[{"__proto__":{"polluted":true}}]]',
  ])('is refused in every object of every body, and reaches nothing: %s', async (member) => {
    const before = prototypes();
    const hostile = soundRequests().flatMap((request) =>
      typeof request.body !== 'string'
        ? []
        : withMember(request.body, member).map((body) => ({ ...request, body })),
    );
    const callsBefore = upstream.calls.length;

    const answers = await sendAll(gateway.url, hostile, bearer());

    expect(answers.length).toBeGreaterThan(60);
    for (const [sent, answer] of answers) {
      expect([sent.where, sent.body, answer.status]).toEqual([sent.where, sent.body, 400]);
    }
    expect(upstream.calls).toHaveLength(callsBefore);
    expect(prototypes()).toBe(before);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  test.each(['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', '__defineGetter__'])(
    'is no field, no prompt, no metric and no parameter of anything: %s',
    async (name) => {
      const before = prototypes();

      const answers = await sendAll(gateway.url, hostileRequests(name), bearer());

      for (const [sent, answer] of answers) {
        expect([sent.where, answer.status < 500]).toEqual([sent.where, true]);
        // The text of a function would mean that a look-up went to a prototype.
        expect([sent.where, answer.text.includes('native code')]).toEqual([sent.where, false]);
      }
      expect(prototypes()).toBe(before);
    },
  );

  test.each([
    ['/prompts/__proto__', 404],
    ['/prompts/constructor', 404],
    ['/prompts/tip/versions/__proto__', 404],
    ['/prompts/tip/labels/constructor', 404],
    ['/policies/__proto__', 404],
    ['/analytics/experiments/constructor', 404],
    ['/analytics/prompts/tip/versions?metric=__proto__', 400],
    ['/analytics/prompts/tip/versions?metric=constructor', 400],
    ['/analytics/prompts/tip/versions?__proto__[polluted]=1', 400],
    ['/analytics/prompts/tip/versions?constructor[prototype][polluted]=1', 400],
    ['/analytics/prompts/tip/versions?__proto__=1', 400],
    ['/generations?__proto__.polluted=1', 400],
    ['/v1/models/constructor', 404],
    ['/admin/assets/__proto__', 404],
    ['/docs/constructor', 404],
  ])('is nothing that exists: %s', async (target, status) => {
    const answer = await sendRequest(gateway.url, { method: 'GET', target, headers: bearer(), body: null });

    expect(answer.status).toBe(status);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  test.each(['__proto__', 'constructor', 'toString'])(
    'is a metric, a prompt or a policy of nothing: %s',
    async (name) => {
      const feedback = await gateway.post('/feedback', { generation_id: 'gen_x', metric: name, value: true });
      const prompt = await gateway.post('/generate', { prompt: name });
      const version = await gateway.post('/generate', { prompt: 'tip', prompt_version: name });
      const label = await gateway.post('/generate', { prompt: 'tip', prompt_version: `@${name}` });
      const route = await gateway.post('/generate', { prompt: 'tip', route: name });
      const policy = await gateway.post('/score', { policy: name, candidates: [{ id: 'a' }] });
      const category = await gateway.post('/feedback', {
        generation_id: 'gen_x',
        metric: 'reaction',
        value: name,
      });

      const statuses = [feedback, prompt, version, label, route, policy, category].map(
        ({ status }) => status,
      );
      expect(statuses).toEqual([422, 404, 404, 404, 404, 404, 422]);
    },
  );
});
