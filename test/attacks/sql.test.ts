import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { type ScriptedUpstream, startScriptedUpstream } from '../helpers/scripted-upstream.ts';
import { type LockedGateway, startLockedGateway } from './attacked-gateway.ts';
import { type HostileRequest, hostileRequests } from './hostile-requests.ts';
import { sendAll } from './send-request.ts';

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

interface Schema {
  readonly statements: string;
  readonly rowsByTable: Readonly<Record<string, number>>;
}

/** Read as anybody may who has the file: what tables there are, and how much stands in them. */
function schemaOf(): Schema {
  const database = new Database(join(gateway.directory, 'data/gateway.db'), { readonly: true });
  try {
    const rows = database.prepare('SELECT name, type, sql FROM sqlite_master ORDER BY name').all() as {
      readonly name: string;
      readonly type: string;
      readonly sql: string | null;
    }[];
    const hash = createHash('sha256').update(JSON.stringify(rows)).digest('hex');
    const tables = rows.filter(({ type, name }) => type === 'table' && !name.startsWith('sqlite_'));
    const count = (name: string): number =>
      (database.prepare(`SELECT count(*) AS n FROM "${name}"`).get() as { readonly n: number }).n;
    return {
      statements: hash,
      rowsByTable: Object.fromEntries(tables.map(({ name }) => [name, count(name)])),
    };
  } finally {
    database.close();
  }
}

/** Tables that only ever grow. */
const GROWING = ['generations', 'outcomes', 'scores', 'api_keys', 'label_events', 'metric_definitions'];

async function attack(requests: readonly HostileRequest[]): Promise<void> {
  const before = schemaOf();

  const answers = await sendAll(gateway.url, requests, { authorization: `Bearer ${gateway.key}` });

  for (const [sent, answer] of answers) {
    expect([sent.where, sent.target, answer.status < 500]).toEqual([sent.where, sent.target, true]);
    const tells = /SQLITE_[A-Z]|SqliteError|syntax error|no such (?:table|column)|unrecognized token/;
    expect([sent.where, tells.exec(answer.text)?.[0]]).toEqual([sent.where, undefined]);
  }
  const after = schemaOf();
  expect(after.statements).toBe(before.statements);
  for (const table of GROWING) {
    expect(after.rowsByTable[table]).toBeGreaterThanOrEqual(before.rowsByTable[table] ?? 0);
  }
}

describe('SQL in every string of every route', () => {
  test.each([
    "'; DROP TABLE generations; --",
    "x'); DELETE FROM outcomes; --",
    "' OR '1'='1",
    "' UNION SELECT sql, 1, 2, 3 FROM sqlite_master --",
    '"; UPDATE api_keys SET scopes_json=\'["admin"]\'; --',
    "') ; ATTACH DATABASE '/tmp/evil.db' AS evil; --",
    '1; PRAGMA writable_schema=ON; --',
    "%' ESCAPE '\\' --",
    '`generations`',
    '[generations]',
    '?1 :name @name $name',
    "x'41'",
    '/* comment */ -- comment',
    "\\'; VACUUM; --",
  ])('is text: %s', async (text) => {
    await attack(hostileRequests(text));
  });

  test('is text, whatever it is made of', async () => {
    const piece = fc.constantFrom(
      "'",
      '"',
      ';',
      '--',
      '/*',
      '*/',
      '(',
      ')',
      '%',
      '_',
      '\\',
      '?',
      ' OR 1=1 ',
      ' UNION SELECT ',
      ' FROM sqlite_master ',
      'NULL',
      '0x41',
      'é',
      '\u{1f600}',
      '\ud7ff',
      'x',
    );
    const text = fc.array(piece, { minLength: 1, maxLength: 12 }).map((pieces) => pieces.join(''));
    const reachesTheDatabase = /generations|feedback|score|labels|keys|analytics|\/generate /;

    await fc.assert(
      fc.asyncProperty(text, async (sql) => {
        // Headers take no such characters, and are attacked by the list.
        const requests = hostileRequests(sql).filter(
          ({ where }) => reachesTheDatabase.test(where) && !where.includes(' header '),
        );
        await attack(requests);
      }),
      { numRuns: 6 },
    );
  });

  test('comes back as it was sent', async () => {
    const text = `'; DROP TABLE generations; --"`;
    const made = await gateway.post('/generate', {
      prompt: 'tip',
      prompt_version: 'v1',
      variables: { goal: text },
      external_id: text,
      metadata: { [text]: text },
    });
    const shown = await fetch(`${gateway.url}/generations/${String(made.json.id)}`, {
      headers: { authorization: `Bearer ${gateway.key}` },
    });

    expect(await shown.json()).toMatchObject({
      external_id: text,
      variables: { goal: text },
      metadata: { [text]: text },
    });
  });
});
