import type { RequestSet } from './load.ts';
import type { ServerProcess } from './server-process.ts';
import type { StreamShape } from './stream-load.ts';

export const TARGET_NAMES = ['fake', 'reference', 'gateway', 'gateway-info', 'portkey', 'litellm'] as const;
export type TargetName = (typeof TARGET_NAMES)[number];

/** What is asked of a target that answers generations, and how it answers. */
export interface GenerateCalls {
  readonly whole: RequestSet;
  readonly streamed: RequestSet;
  readonly shape: StreamShape;
}

/** A server that the same calls go through. */
export interface Target {
  readonly name: TargetName;
  /** As tables call it, with its version. */
  readonly title: string;
  /** Whether a call is stored before it is answered. */
  readonly logs: string;
  readonly server: ServerProcess;
  readonly calls: GenerateCalls;
}

const JSON_TYPE = { 'content-type': 'application/json' } as const;

/** OpenAI's events, also where JSON was written anew with spaces. */
export const OPENAI_SHAPE: StreamShape = {
  textMark: '"content":',
  textPattern: /"content": ?"([^"]*)"/g,
  endMark: 'data: [DONE]',
};

/** The gateway's own events; `end` repeats the whole text, which is no piece. */
export const GATEWAY_SHAPE: StreamShape = {
  textMark: 'event: delta\n',
  textPattern: /event: delta\ndata: \{"text":"([^"]*)"\}/g,
  endMark: 'event: end\n',
};

/** What a recommender sends, and a chat of about the length that the prompt has when it is rendered. */
export const GENERATE_BODY = {
  prompt: 'tip',
  prompt_version: 'v1',
  variables: {
    goal: 'sleep better',
    mood: 'tired',
    recent_tips: ['Drink a glass of water.', 'Go for a walk.'],
  },
  user_id: 'user-1',
};
const CHAT_BODY = {
  model: 'fake-model',
  messages: [
    {
      role: 'system',
      content:
        'You give people one small, practical productivity or habit tip at a time.\nAnswer with the tip alone: at most two sentences, no greeting, no list, no emoji.\nIt must be something the person can do today in under ten minutes.',
    },
    {
      role: 'user',
      content:
        'My goal: sleep better\nMy mood: tired\n\nDo not repeat these tips:\n- Drink a glass of water.\n- Go for a walk.',
    },
  ],
  temperature: 0.7,
  max_tokens: 160,
};

export function generateCalls(
  path: string,
  body: object,
  shape: StreamShape,
  headers: Readonly<Record<string, string>> = {},
): GenerateCalls {
  const set = (given: object): RequestSet => ({
    path,
    headers: { ...JSON_TYPE, ...headers },
    bodies: [JSON.stringify(given)],
  });
  return { whole: set(body), streamed: set({ ...body, stream: true }), shape };
}

export function chatCalls(headers: Readonly<Record<string, string>> = {}): GenerateCalls {
  return generateCalls('/v1/chat/completions', CHAT_BODY, OPENAI_SHAPE, headers);
}

/** The same as a first request, with which a start ends. */
export function firstRequestOf(requests: RequestSet): { path: string; init: RequestInit } {
  return {
    path: requests.path,
    init: { method: 'POST', headers: { ...requests.headers }, body: requests.bodies[0] ?? '' },
  };
}
