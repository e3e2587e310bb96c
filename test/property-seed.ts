import fc from 'fast-check';

/**
 * The same examples at every run, so that a change is judged by what it changes. `PROPERTY_SEED=random` looks for new
 * ones (the seed that failed is printed), `PROPERTY_RUNS` sets how many.
 */
const { PROPERTY_SEED: seed = '20261123', PROPERTY_RUNS: runs } = process.env;

fc.configureGlobal({
  ...(seed === 'random' ? {} : { seed: Number(seed) }),
  ...(runs === undefined ? {} : { numRuns: Number(runs) }),
});
