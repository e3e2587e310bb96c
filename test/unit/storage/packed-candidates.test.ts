import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { candidatesOfJson, type ScoreRecord } from '../../../src/ledger/index.ts';
import {
  candidatesJson,
  packCandidates,
  packedCharacters,
} from '../../../src/storage/sqlite/packed-candidates.ts';
import { exportedScoreRow, fromScoreRow, toScoreValues } from '../../../src/storage/sqlite/score-columns.ts';
import { createScoreReads } from '../../../src/storage/sqlite/score-reads.ts';
import { scoreRecord } from '../../helpers/ledger-records.ts';
import { writerCoreInMemory } from '../../helpers/writer-core-in-memory.ts';

type Candidates = ScoreRecord['candidates'];

/** What arrives in the ledger, having crossed from one thread to the other. */
function stored(candidates: Candidates): string {
  return candidatesJson(structuredClone(packCandidates(candidates)));
}

const NAMES = ['novelty', 'effort', 'topic', '7', '__proto__', 'toString'];
const number = fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }));
const value = fc.oneof(number, fc.boolean(), fc.string(), fc.constant(null), fc.array(fc.integer()));
const share = fc.double({ min: 0, max: 1, noNaN: true });

function candidate(features: fc.Arbitrary<Readonly<Record<string, unknown>>>) {
  return fc.record({ id: fc.string(), features, estimate: share, propensity: share });
}

const sameFeatures = fc
  .subarray(NAMES)
  .chain((names) =>
    fc.array(
      candidate(
        fc
          .tuple(...names.map((name) => fc.oneof(number, value).map((each) => [name, each] as const)))
          .map(Object.fromEntries),
      ),
      { maxLength: 6 },
    ),
  );
const anyFeatures = fc.array(candidate(fc.dictionary(fc.constantFrom(...NAMES), value)), { maxLength: 6 });

describe('candidates of a decision in the ledger', () => {
  test('come back as they were, whatever features they have', () => {
    fc.assert(
      fc.property(fc.oneof(sameFeatures, anyFeatures), (candidates) => {
        expect(candidatesOfJson(stored(candidates))).toEqual(JSON.parse(JSON.stringify(candidates)));
      }),
    );
  });

  test('are kept by column when all of them have the same features', () => {
    const candidates = ['walk', 'run'].map((id, index) => ({
      id,
      features: { effort: index / 4, topic: id, seasonal: index === 0 },
      estimate: 0.5,
      propensity: 0.5,
    }));

    expect(JSON.parse(stored(candidates))).toEqual({
      ids: ['walk', 'run'],
      estimates: [0.5, 0.5],
      propensities: [0.5, 0.5],
      features: { effort: [0, 0.25], topic: ['walk', 'run'], seasonal: [true, false] },
    });
  });

  test('are kept one by one when a feature is missing somewhere', () => {
    const candidates = [
      { id: 'walk', features: { effort: 1, topic: 'body' }, estimate: 0.5, propensity: 0.5 },
      { id: 'run', features: { effort: 1, length: 2 }, estimate: 0.5, propensity: 0.5 },
    ];

    expect(JSON.parse(stored(candidates))).toEqual(candidates);
  });

  test('are half as long as one object each', () => {
    const candidates = Array.from({ length: 20 }, (_, index) => ({
      id: `candidate-${index}`,
      features: Object.fromEntries(NAMES.slice(0, 4).map((name) => [`feature_${name}`, index % 2])),
      estimate: 0.5,
      propensity: 0.05,
    }));

    expect(stored(candidates).length).toBeLessThan(JSON.stringify(candidates).length / 2);
  });

  test('count for the limit of the queue with all their text', () => {
    const long = (id: string) => ({
      id,
      features: { topic: id.repeat(500) },
      estimate: 0.5,
      propensity: 0.5,
    });

    expect(packedCharacters(packCandidates([long('walk'), long('run')]))).toBeGreaterThan(3_500);
  });

  test('of rows written before columns are read all the same', () => {
    const record = scoreRecord({ id: 'scr_1' });
    const core = writerCoreInMemory();
    core.apply({ kind: 'append_score', values: toScoreValues(record), completes: null });
    core.database.prepare('UPDATE scores SET candidates_json = ?').run(JSON.stringify(record.candidates));

    expect(createScoreReads(core.database).findScore({ id: 'scr_1' })).toMatchObject(record);
  });

  test('are exported one by one, however they are kept', () => {
    const record = scoreRecord({ id: 'scr_1' });
    const core = writerCoreInMemory();
    core.apply({ kind: 'append_score', values: toScoreValues(record), completes: null });
    const row = core.database.prepare('SELECT * FROM scores').get() as Record<string, unknown>;

    const exported = exportedScoreRow(row);

    expect(JSON.parse(String(exported['candidates_json']))).toEqual(record.candidates);
    expect(fromScoreRow(exported)).toEqual(fromScoreRow(row));
  });
});
