/**
 * Writes generations and outcomes to the ledger at argv[2] as fast as they are acknowledged, and prints the id of each
 * as soon as it is. Meant to be killed.
 */
import { writeSync } from 'node:fs';

import { generationRecord, outcomeRecord } from './ledger-records.ts';
import { openSqliteOn } from './open-sqlite-for-test.ts';

const CONCURRENT_WRITERS = 32;
const STANDARD_OUTPUT = 1;

const [, , file = '', round = '0'] = process.argv;
const storage = await openSqliteOn(file, { durability: 'commit', threads: true });
let next = 0;

async function write(): Promise<never> {
  while (true) {
    const suffix = `${round}_${next}`;
    next += 1;
    await storage.ledger.appendGeneration(generationRecord({ id: `gen_${suffix}` }), null);
    writeSync(STANDARD_OUTPUT, `gen_${suffix}\n`);
    await storage.ledger.appendOutcomes({
      apiKeyId: 'key-a',
      entries: [
        {
          kind: 'outcome',
          outcome: outcomeRecord({ outcomeId: `out_${suffix}` }, { generationId: `gen_${suffix}` }),
        },
      ],
    });
    writeSync(STANDARD_OUTPUT, `out_${suffix}\n`);
  }
}

await Promise.all(Array.from({ length: CONCURRENT_WRITERS }, write));
