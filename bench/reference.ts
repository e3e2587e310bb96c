/**
 * The reference of every ratio: what a team writes in an afternoon. Express 5, `express.json`, the openai client as it
 * comes, `res.json`. No log, no limits, no retries but the client's own.
 *
 * Usage: OPENAI_BASE_URL=... tsx bench/reference.ts
 */
import express from 'express';
import OpenAI from 'openai';

const client = new OpenAI({ baseURL: process.env['OPENAI_BASE_URL'] ?? '', apiKey: 'none' });
const app = express();
app.use(express.json());
app.post('/generate', async (_request, response) => {
  const completion = await client.chat.completions.create({
    model: 'fake-model',
    messages: [
      { role: 'system', content: 'You are a coach.' },
      { role: 'user', content: 'Give one tip.' },
    ],
  });
  response.json({ text: completion.choices[0]?.message.content });
});
const server = app.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') console.log(`http://127.0.0.1:${address.port}`);
});
