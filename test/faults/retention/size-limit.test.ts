import { statSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';

import { verifySqliteFile } from '../../../src/storage/sqlite/index.ts';
import { openDatabase } from '../../../src/storage/sqlite/sqlite-driver.ts';
import { compileGateway } from '../../helpers/compiled-gateway.ts';
import { noteFigure } from '../../helpers/fault-figures.ts';
import { eventually, processBench } from '../../helpers/gateway-process.ts';

/** The smallest limit there is. */
const MAX_BYTES = 67_108_864;
/** One and a half times what the limit holds. */
const CALLS = 12_000;
const CALLERS = 16;
const NOTE = 'n'.repeat(8_000);

const compiled = compileGateway();
const bench = processBench(() => [compiled.entry]);
afterEach(bench.cleanUp);
afterAll(compiled.remove);

async function folderWith(retention: object): Promise<string> {
  const folder = await bench.freshFolder();
  const file = join(folder, 'gateway.config.json');
  const config = JSON.parse(await readFile(file, 'utf8')) as object;
  await writeFile(file, JSON.stringify({ ...config, ledger: { retention } }));
  return folder;
}

async function post(url: string, path: string, body: object): Promise<{ status: number; id: string }> {
  const response = await fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const { id = '' } = (await response.json()) as { id?: string };
  return { status: response.status, id };
}

const json = async (address: string) => (await (await fetch(address)).json()) as never;

describe('a database at its size limit', () => {
  test('serves every call and stays below the limit, and its reports count what is gone', async () => {
    const folder = await folderWith({ max_bytes: MAX_BYTES });
    const file = join(folder, 'data/gateway.db');
    const gateway = bench.start(folder);
    const url = await gateway.url;
    const statuses = new Map<number, number>();
    let largestBytes = 0;
    let slowestMs = 0;
    let sent = 0;
    let last = '';
    const measure = (): void => {
      const bytes = statSync(file).size + (statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0);
      largestBytes = Math.max(largestBytes, bytes);
    };
    const caller = async (): Promise<void> => {
      while (sent < CALLS) {
        sent += 1;
        const begunMs = performance.now();
        const { status, id } = await post(url, '/generate', { variables: {}, metadata: { note: NOTE } });
        slowestMs = Math.max(slowestMs, performance.now() - begunMs);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        last = id;
        if (sent % 50 === 0) measure();
      }
    };

    await Promise.all(Array.from({ length: CALLERS }, caller));

    expect([...statuses]).toEqual([[200, CALLS]]);
    expect(largestBytes).toBeGreaterThan(MAX_BYTES * 0.7);
    expect(largestBytes).toBeLessThanOrEqual(MAX_BYTES);
    expect(slowestMs).toBeLessThan(5_000);
    const feedback = { generation_id: last, metric: 'completed', value: true };
    expect((await post(url, '/feedback', feedback)).status).toBe(200);
    const report = (await json(`${url}/analytics/prompts/tip/versions`)) as {
      readonly versions: readonly { readonly generations: number; readonly outcomes: number }[];
    };
    expect(report.versions[0]).toMatchObject({ generations: CALLS, outcomes: 1 });
    await eventually(async () => {
      const { status, parts } = (await json(`${url}/readyz`)) as {
        readonly status: string;
        readonly parts: Readonly<Record<'retention', { readonly detail: string | null }>>;
      };
      return status === 'degraded' && parts.retention.detail?.includes('ledger.retention.max_bytes') === true;
    });
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toMatch(/gateway_retention_deleted_rows_total\{reason="size"\} [1-9]/);
    gateway.child.kill('SIGTERM');
    expect(await gateway.exit).toMatchObject({ code: 0 });
    expect(verifySqliteFile(file)).toMatchObject({ problems: [], differences: [] });
    const database = openDatabase(file, { readonly: true });
    const kept = Number(database.prepare('SELECT count(*) FROM generations').pluck().get());
    database.close();
    noteFigure(
      'size-limit',
      `${CALLS} calls, none refused, the slowest ${Math.round(slowestMs)} ms; at most ${Math.round(largestBytes / 1_048_576)} of ${MAX_BYTES / 1_048_576} MiB; ${kept} rows left`,
    );
    expect(kept).toBeGreaterThan(2_000);
    expect(kept).toBeLessThan(CALLS);
  }, 120_000);

  test('refuses to start with days too few for the outcomes that may come', async () => {
    const folder = await folderWith({ rows_days: 3 });
    const gateway = bench.start(folder);

    await expect(gateway.url).rejects.toThrow(
      /ledger\.retention\.rows_days.*3 is less than the attribution window/,
    );
    expect(await gateway.exit).toMatchObject({ code: 78 });
  });
});
