import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { Clock, Random } from '../../kernel/index.ts';

export interface ScriptedUpstream {
  /** `http://127.0.0.1:PORT/v1` */
  readonly baseUrl: string;
  /** Model it answers to: one of the price table, so that the demo shows costs too. */
  readonly model: string;
  close(): Promise<void>;
}

export interface ScriptedUpstreamOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** The version whose text a rendered prompt carries. */
  readonly recognise: (rendered: string) => string | null;
}

const MODEL = 'gpt-4o-mini';

/** The later the version, the more concrete the tip: what the simulated users respond to. */
const TIPS: Readonly<Record<string, readonly string[]>> = {
  v1: [
    'Try to stay on top of your tasks today.',
    'A little planning can go a long way.',
    'Remember to take regular breaks.',
  ],
  v2: [
    'Pick one small task and finish it before lunch.',
    'Write down the next step of the task you keep putting off.',
    'Clear your desk for two minutes, then begin.',
  ],
  // The third version asks for JSON.
  v3: [
    {
      tip: 'Set a timer for ten minutes and open the task you have postponed longest; stop when it rings.',
      why: 'A short, bounded start costs little and usually goes on by itself.',
      minutes: 10,
    },
    {
      tip: 'At your best hour today, do the shortest open task first and tick it off.',
      why: 'One finished task at your most active hour pulls the next one along.',
      minutes: 15,
    },
    {
      tip: 'Choose one task, put the phone in another room, and work on it until the next full hour.',
      why: 'Nothing interrupts what nobody can reach.',
      minutes: 30,
    },
  ].map((tip) => JSON.stringify(tip)),
};
const UNKNOWN_TIPS = ['Take the next small step.'];

/**
 * A language model for the demonstration: an OpenAI-compatible server on loopback that answers by script, with usage
 * and a few milliseconds of work. Close it.
 */
export async function startScriptedUpstream(options: ScriptedUpstreamOptions): Promise<ScriptedUpstream> {
  const server = createServer((request, response) => {
    answer(request, response, options).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    model: MODEL,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: ScriptedUpstreamOptions,
): Promise<void> {
  if (request.method === 'GET' && request.url === '/v1/models') {
    send(response, 200, {
      object: 'list',
      data: [{ id: MODEL, object: 'model', created: 0, owned_by: 'demo' }],
    });
    return;
  }
  if (request.method !== 'POST' || request.url !== '/v1/chat/completions') {
    send(response, 404, {
      error: { message: 'the scripted model serves chat completions only', code: 'not_found' },
    });
    return;
  }
  const prompt = textOfMessages(await readJson(request));
  const version = options.recognise(prompt) ?? '';
  const tips = TIPS[version] ?? UNKNOWN_TIPS;
  const text = tips[Math.floor(options.random.next() * tips.length)] ?? '';
  // 2 to 8 ms: enough to show that latencies differ, little enough for a demonstration.
  await options.clock.sleep(2 + options.random.next() * 6);
  const inputTokens = roughTokens(prompt);
  const outputTokens = roughTokens(text);
  send(response, 200, {
    id: 'chatcmpl-demo',
    object: 'chat.completion',
    created: Math.floor(options.clock.nowMs() / 1000),
    model: MODEL,
    choices: [
      { index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop', logprobs: null },
    ],
    usage: {
      prompt_tokens: inputTokens,
      completion_tokens: outputTokens,
      total_tokens: inputTokens + outputTokens,
    },
  });
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString('utf8'));
}

function textOfMessages(body: unknown): string {
  const messages = isRecord(body) && Array.isArray(body['messages']) ? (body['messages'] as unknown[]) : [];
  return messages.map((message) => (isRecord(message) ? textOfContent(message['content']) : '')).join('\n');
}

function textOfContent(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.map((part: unknown) => (isRecord(part) ? String(part['text'] ?? '') : '')).join('');
}

/** About four characters of English make a token. */
function roughTokens(text: string): number {
  return Math.max(1, Math.ceil(text.length / 4));
}

function send(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
