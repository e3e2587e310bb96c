/**
 * A fast OpenAI-compatible upstream for benchmarks: one fixed answer, optionally after a delay. Prints its URL and counts
 * what it is asked, so that hidden retries show. Not a model: it exists to take no time.
 *
 * Usage: tsx bench/fake-provider.ts [delayMs]
 */
import { createServer } from 'node:http';

const delayMs = Number(process.argv[2] ?? 0);
const TOKENS = ['Take', ' a', ' walk', ' after', ' lunch', '.'];

const answer = Buffer.from(
  JSON.stringify({
    id: 'chatcmpl-fake',
    object: 'chat.completion',
    created: 1,
    model: 'fake-model',
    choices: [{ index: 0, message: { role: 'assistant', content: TOKENS.join('') }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 31, completion_tokens: 6, total_tokens: 37 },
  }),
);

function streamed(): string {
  const chunk = (fields: object): string =>
    `data: ${JSON.stringify({ id: 'chatcmpl-fake', object: 'chat.completion.chunk', created: 1, model: 'fake-model', ...fields })}\n\n`;
  const deltas = Array.from({ length: 20 }, (_, index) =>
    chunk({ choices: [{ index: 0, delta: { content: TOKENS[index % TOKENS.length] } }] }),
  );
  const end = chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
  const usage = chunk({ choices: [], usage: { prompt_tokens: 31, completion_tokens: 20, total_tokens: 51 } });
  return `${deltas.join('')}${end}${usage}data: [DONE]\n\n`;
}

const streamBody = Buffer.from(streamed());
let calls = 0;

const server = createServer((request, response) => {
  if (request.method === 'GET') {
    response.setHeader('content-type', 'application/json');
    response.end(
      request.url === '/calls'
        ? JSON.stringify({ calls })
        : JSON.stringify({ object: 'list', data: [{ id: 'fake-model', object: 'model' }] }),
    );
    return;
  }
  calls += 1;
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (text: string) => {
    body += text;
  });
  request.on('end', () => {
    const isStream = body.includes('"stream":true');
    const reply = (): void => {
      response.writeHead(200, { 'content-type': isStream ? 'text/event-stream' : 'application/json' });
      response.end(isStream ? streamBody : answer);
    };
    if (delayMs > 0) setTimeout(reply, delayMs);
    else reply();
  });
});
server.on('connection', (socket) => socket.setNoDelay(true));
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') console.log(`http://127.0.0.1:${address.port}`);
});
