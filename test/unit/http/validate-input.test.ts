import { expect, test } from '@jest/globals';
import { z } from 'zod';
import { metadataField } from '../../../src/http/schemas/fields.ts';
import { validateInput } from '../../../src/http/validate-input.ts';
import { AppError } from '../../../src/kernel/index.ts';

const schema = z.strictObject({
  name: z.string(),
  metadata: metadataField,
  items: z
    .array(z.strictObject({ item_count: z.int().min(1) }))
    .max(2)
    .nullish(),
  share: z.number().gt(0).max(1).nullish(),
  id: z.string().min(1).nullish(),
  values: z.record(z.string(), z.unknown()).nullish(),
});

function faultsOf(value: unknown): unknown {
  try {
    validateInput(schema, value, 'The body');
  } catch (error) {
    if (error instanceof AppError) return error.faults.map(({ path, message }) => `${path}: ${message}`);
  }
  return null;
}

test.each([
  [{ name: 'a' }, null],
  [{}, ['name: is required']],
  [{ name: null }, ['name: must be string, not null']],
  [[], [': must be object, not array']],
  [null, [': must be object, not null']],
  [
    { name: 'a', items: [{ itemCount: 1 }] },
    [
      'items[0].item_count: is required',
      'items[0].itemCount: is not a known field; did you mean `item_count`?',
    ],
  ],
  [
    { name: 'a', metadata: { '': 1 } },
    ['metadata.: has a name that is not allowed: a name has 1 to 128 characters'],
  ],
  [
    { name: 'a', metadata: { ['k'.repeat(1_000)]: 1 } },
    [`metadata.${'k'.repeat(64)}: has a name that is not allowed: a name has 1 to 128 characters`],
  ],
  [
    { name: 'a', zebra: 1 },
    ['zebra: is not a known field; known are name, metadata, items, share, id, values'],
  ],
  [{ name: 'a', items: [{ item_count: 0 }] }, ['items[0].item_count: must be at least 1']],
  [
    { name: 'a', items: [{ item_count: 1 }, { item_count: 1 }, { item_count: 1 }] },
    ['items: must hold at most 2 items'],
  ],
  [{ name: 'a', share: 0 }, ['share: must be more than 0']],
  [{ name: 'a', share: 2 }, ['share: must be at most 1']],
  [{ name: 'a', id: '' }, ['id: must have at least 1 character']],
  [{ name: 'a', values: [] }, ['values: must be object, not array']],
])('%j has the faults %j', (value, faults) => {
  expect(faultsOf(value)).toEqual(faults);
});
