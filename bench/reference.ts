/**
 * The reference of every ratio: what a team writes in an afternoon. Express 5, `express.json`, the openai client as it
 * comes, `res.json`. No log, no limits, no retries but the client's own.
 *
 * Environment: OPENAI_BASE_URL. Prints its URL.
 */
import express from 'express';
import OpenAI from 'openai';

const client = new OpenAI({ baseURL: process.env['OPENAI_BASE_URL'] ?? '', apiKey: 'none' });
const app = express();
app.use(express.json());
app.post('/generate', async (request, response) => {
  const call = {
    model: 'fake-model',
    messages: [
      { role: 'system' as const, content: 'You are a coach.' },
      { role: 'user' as const, content: `My goal: ${request.body.variables.goal}. Give one tip.` },
    ],
  };
  if (request.body.stream !== true) {
    const completion = await client.chat.completions.create(call);
    response.json({ text: completion.choices[0]?.message.content });
    return;
  }
  response.setHeader('content-type', 'text/event-stream');
  for await (const chunk of await client.chat.completions.create({ ...call, stream: true })) {
    response.write(`data: ${JSON.stringify(chunk)}\n\n`);
  }
  response.end('data: [DONE]\n\n');
});
const server = app.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') console.log(`http://127.0.0.1:${address.port}`);
});
