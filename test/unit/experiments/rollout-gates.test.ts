import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { configSchema, type GatewayConfig } from '../../../src/config/index.ts';
import {
  createDefinitionGates,
  createRolloutGates,
  createRolloutHistory,
  type Experiment,
  type LabelTarget,
} from '../../../src/experiments/index.ts';
import { AppError, silentLogger } from '../../../src/kernel/index.ts';
import { countingIds } from '../../fakes/counting-ids.ts';
import { manualClock } from '../../fakes/manual-clock.ts';
import { memoryRollouts } from '../../fakes/memory-rollouts.ts';
import { experiment, type ScriptedLabels, scriptedLabels } from '../../fakes/scripted-experiments.ts';
import { scriptedRegistry, scriptedVersion } from '../../fakes/scripted-prompts.ts';

const registry = scriptedRegistry(['v1', 'v2', 'v3', 'v4'].map((version) => scriptedVersion('tip', version)));
const GOOD = {
  runs: 100,
  errors: 1,
  liveErrors: 2,
  schemaFailures: 0,
  latencyRatio: 1.2,
  costRatio: 0.9,
};
const GATE = { min_shadow_runs: 50, max_error_rate: 0.02, max_latency_ratio: 1.5 };
const TO_V2: LabelTarget = { kind: 'version', version: 'v2' };

type Totals = typeof GOOD | { readonly runs: number; readonly latencyRatio: number | null };

interface WorldOptions {
  readonly gates?: object;
  /** By version, or by hash of a definition; without an entry nothing has run. */
  readonly shadow?: Readonly<Record<string, Partial<Totals>>>;
  readonly experiments?: readonly Experiment[];
  readonly labels?: ScriptedLabels;
}

function world(options: WorldOptions = {}) {
  const clock = manualClock();
  const store = memoryRollouts();
  const history = createRolloutHistory({ store, clock, logger: silentLogger });
  const config = gatesOf(options.gates ?? { prompts: { tip: GATE } });
  const asked: unknown[] = [];
  let failure: Error | null = null;
  const gates = createRolloutGates({
    gates: () => config,
    evidence: {
      totals: async (query) => {
        asked.push(query);
        if (failure !== null) throw failure;
        const nothing = { ...GOOD, runs: 0, errors: 0, liveErrors: 0, latencyRatio: null, costRatio: null };
        return { ...nothing, ...options.shadow?.[query.policyDefinition ?? query.version ?? ''] };
      },
    },
    history,
    registry: () => registry,
    experiments: () => options.experiments ?? [],
    ids: countingIds(),
    clock,
  });
  const definitions = createDefinitionGates({ gates, history, labels: scriptedLabels(options.labels) });
  const move = (to: LabelTarget, changes: Partial<Parameters<typeof gates.admitMove>[0]> = {}) =>
    gates.admitMove({
      prompt: 'tip',
      label: 'live',
      from: { kind: 'version', version: 'v1' },
      to,
      seeded: false,
      overrideReason: null,
      reason: 'because',
      actor: 'key-a',
      ...changes,
    });
  /** As the ledger does it with a move. */
  const moved = async (to: LabelTarget): Promise<void> => {
    const { finding, live } = await move(to, { overrideReason: 'given' });
    await gates.record({
      subjectKind: 'label',
      subject: 'tip@live',
      from: null,
      to: JSON.stringify(to),
      revision: null,
      decision: finding.state === 'overridden' ? 'overridden' : 'allowed',
      reason: 'because',
      actor: 'key-a',
      gate: finding,
      live,
      facts: null,
    });
  };
  return {
    clock,
    store,
    history,
    gates,
    definitions,
    config,
    asked,
    move,
    moved,
    failEvidence: (error: Error | null) => {
      failure = error;
    },
  };
}

function gatesOf(rollout_gates: object): GatewayConfig['rollout_gates'] {
  return configSchema.parse({ providers: {}, routes: {}, rollout_gates }).rollout_gates;
}

async function refusal(promise: Promise<unknown>): Promise<AppError> {
  const error = await promise.catch((caught: unknown) => caught);
  if (error instanceof AppError) return error;
  throw new Error(`not refused: ${String(error)}`);
}

describe('the gate of a label', () => {
  test('refuses a version that has not been shown, with every number and the way out, and keeps the refusal', async () => {
    const { move, store } = world({ shadow: { v2: { runs: 12, errors: 3, latencyRatio: 1.1 } } });

    const error = await refusal(move(TO_V2));

    expect(error.code).toBe('rollout_gate_closed');
    expect(error.message).toContain('min_shadow_runs 50 and has 12, max_error_rate 0.02 and has 0.25');
    expect(error.message).toContain('"override"');
    expect(error.details).toMatchObject({
      gate: {
        state: 'closed',
        targets: [
          {
            prompt_version: 'v2',
            conditions: [
              { condition: 'min_shadow_runs', required: 50, actual: 12, holds: false },
              { condition: 'max_error_rate', required: 0.02, actual: 0.25, holds: false },
              { condition: 'max_latency_ratio', required: 1.5, actual: 1.1, holds: true },
            ],
          },
        ],
      },
    });
    expect(store.events).toMatchObject([
      { subject: 'tip@live', to: 'version v2', decision: 'refused', actor: 'key-a', live: [] },
    ]);
  });

  test('lets a version pass whose shadow runs meet every bound, counting runs of the window only', async () => {
    const { move, asked, clock } = world({ shadow: { v2: GOOD } });

    const { finding, live } = await move(TO_V2);

    expect(finding.state).toBe('held');
    expect(live).toEqual([{ prompt: 'tip', label: 'live', version: 'v2', hash: 'sha256:tip-v2' }]);
    expect(asked).toEqual([{ prompt: 'tip', version: 'v2', sinceMs: clock.nowMs() - 168 * 3_600_000 }]);
  });

  test('does not hold where the shadow runs do not say', async () => {
    const { move } = world({ shadow: { v2: { ...GOOD, latencyRatio: null } } });

    expect((await refusal(move(TO_V2))).message).toContain('max_latency_ratio 1.5 and has no number yet');
  });

  test('exempts what this label led to before, and nothing else of the same name', async () => {
    const { move, moved } = world();
    await moved(TO_V2);

    expect((await move(TO_V2)).finding.state).toBe('exempt');
    await expect(move(TO_V2, { label: 'other' })).rejects.toMatchObject({ code: 'rollout_gate_closed' });
    await expect(move({ kind: 'version', version: 'v3' })).rejects.toMatchObject({
      code: 'rollout_gate_closed',
    });
  });

  test('passes an override with its reason and the numbers it passed by', async () => {
    const { move } = world({ shadow: { v2: { runs: 3 } } });

    const { finding } = await move(TO_V2, { overrideReason: 'v1 insults people' });

    expect(finding).toMatchObject({ state: 'overridden', overrideReason: 'v1 insults people' });
    expect(finding.targets[0]?.conditions[0]).toMatchObject({ actual: 3, holds: false });
  });

  test('is closed when nobody can look at it, but for an override', async () => {
    const { move, failEvidence } = world();
    failEvidence(new AppError('storage_unavailable', 'gone'));

    expect(await refusal(move(TO_V2))).toMatchObject({
      code: 'storage_unavailable',
      message: expect.stringContaining('counts as closed'),
    });
    const { finding } = await move(TO_V2, { overrideReason: 'v1 insults people' });
    expect(finding).toMatchObject({ state: 'overridden', targets: [{ state: 'unread' }] });
  });

  test('guards the labels it names, and seeds not at all', async () => {
    const { move } = world({ gates: { prompts: { tip: { ...GATE, labels: ['live'] } } } });

    expect((await move(TO_V2, { label: 'trial' })).finding.state).toBe('none');
    expect((await move(TO_V2, { seeded: true, from: null })).finding.state).toBe('exempt');
    expect((await refusal(move(TO_V2))).code).toBe('rollout_gate_closed');
  });

  test('asks of an experiment every version that was never live', async () => {
    const tone = experiment({
      arms: ['v1', 'v2', 'v3'].map((version) => ({ name: version, version, weight: 1 })),
      baseline: 'v1',
    });
    const { move, moved } = world({ experiments: [tone], shadow: { v2: GOOD } });
    await moved({ kind: 'version', version: 'v1' });

    const error = await refusal(move({ kind: 'experiment', experiment: 'tone' }));

    expect(error.details['gate']).toMatchObject({
      targets: [
        { prompt_version: 'v1', state: 'exempt' },
        { prompt_version: 'v2', state: 'held' },
        { prompt_version: 'v3', state: 'closed' },
      ],
    });
  });

  test('never holds a number that is over its limit, nor refuses one that is not', () => {
    return fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 100 }),
        fc.integer({ min: 0, max: 100 }),
        fc.double({ min: 0.1, max: 3, noNaN: true }),
        async (runs, errors, latencyRatio) => {
          const shadow = { v2: { ...GOOD, runs, errors: Math.min(runs, errors), latencyRatio } };
          const state = await world({ shadow })
            .move(TO_V2)
            .then(({ finding }) => finding.state)
            .catch(() => 'closed');

          const holds = runs >= 50 && Math.min(runs, errors) / runs <= 0.02 && latencyRatio <= 1.5;
          expect(state).toBe(holds ? 'held' : 'closed');
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe('definitions of the configuration', () => {
  const LIVE: ScriptedLabels = { tip: { live: { kind: 'experiment', experiment: 'tone' } } };
  const now = experiment();
  const withV3 = experiment({
    revision: 'sha256:two',
    arms: [...now.arms, { name: 'brief', version: 'v3', weight: 1 }],
  });
  const inForce = (of: Experiment) => ({ experiments: [of], policies: [] });

  test('of a first start are in force, and known as such', async () => {
    const { definitions, history, config } = world({ labels: LIVE });

    expect(await definitions.check({ ...inForce(now), gates: config })).toEqual([]);
    await definitions.adopt({ ...inForce(now), gates: config });

    expect(history.definition('experiment', 'tone')).toBe('sha256:one');
    expect(history.wasLive({ prompt: 'tip', label: 'live', version: 'v2', hash: 'sha256:tip-v2' })).toBe(
      true,
    );
  });

  test('are refused with a new arm that has not been shown, with path and remedy', async () => {
    const { definitions, config, store } = world({ labels: LIVE });
    await definitions.adopt({ ...inForce(now), gates: config });

    const faults = await definitions.check({ ...inForce(withV3), gates: config });
    await definitions.check({ ...inForce(withV3), gates: config });

    expect(faults).toEqual([
      { path: 'experiments.tone', message: expect.stringContaining('version v3 needs') },
    ]);
    expect(faults[0]?.message).toContain('{"experiment":"tone","revision":"sha256:two","reason":"…"}');
    expect(store.events.filter(({ decision }) => decision === 'refused')).toHaveLength(1);
  });

  test('pass with the numbers, with an override for just them, and back to what was live', async () => {
    const held = world({ labels: LIVE, shadow: { v3: GOOD } });
    await held.definitions.adopt({ ...inForce(now), gates: held.config });
    expect(await held.definitions.check({ ...inForce(withV3), gates: held.config })).toEqual([]);

    const hash = `sha256:${'2'.repeat(64)}`;
    const closed = world({ labels: LIVE });
    const gates = {
      ...closed.config,
      overrides: [{ experiment: 'tone', revision: hash, reason: 'urgent' }],
    };
    await closed.definitions.adopt({ ...inForce(now), gates });
    const named = { ...withV3, revision: hash };
    expect(await closed.definitions.check({ ...inForce(named), gates })).toEqual([]);
    await closed.definitions.adopt({ ...inForce(named), gates });
    expect(closed.store.events.at(-1)).toMatchObject({ decision: 'overridden', reason: 'urgent', to: hash });
    expect(await closed.definitions.check({ ...inForce(now), gates })).toEqual([]);
    const v4 = { ...now, revision: 'sha256:four', arms: [{ name: 'new', version: 'v4', weight: 1 }] };
    expect(await closed.definitions.check({ ...inForce(v4), gates })).toHaveLength(1);
  });

  test('that no label points to affect nobody, and were not live when one does', async () => {
    const { definitions, config, history } = world();
    await definitions.adopt({ ...inForce(now), gates: config });

    expect(await definitions.check({ ...inForce(withV3), gates: config })).toEqual([]);
    await definitions.adopt({ ...inForce(withV3), gates: config });

    expect(history.wasLive({ prompt: 'tip', label: 'live', version: 'v3', hash: 'sha256:tip-v3' })).toBe(
      false,
    );
  });

  test('of a policy are held to its gate by their hash', async () => {
    const tips = (revision: string) => ({ experiments: [], policies: [{ name: 'tips', revision }] });
    const gates = { policies: { tips: { min_shadow_runs: 10 } } };
    const { definitions, config } = world({ gates, shadow: { 'sha256:shown': { ...GOOD, runs: 10 } } });
    await definitions.adopt({ ...tips('sha256:first'), gates: config });

    expect(await definitions.check({ ...tips('sha256:unseen'), gates: config })).toEqual([
      { path: 'policies.tips', message: expect.stringContaining('min_shadow_runs 10 and has 0') },
    ]);
    expect(await definitions.check({ ...tips('sha256:shown'), gates: config })).toEqual([]);
    await definitions.adopt({ ...tips('sha256:shown'), gates: config });
    expect(await definitions.check({ ...tips('sha256:first'), gates: config })).toEqual([]);
  });

  test('cannot be judged while the evidence cannot be read', async () => {
    const { definitions, config, failEvidence } = world({ labels: LIVE });
    await definitions.adopt({ ...inForce(now), gates: config });
    failEvidence(new AppError('storage_unavailable', 'gone'));

    await expect(definitions.check({ ...inForce(withV3), gates: config })).rejects.toMatchObject({
      code: 'storage_unavailable',
    });
  });
});

describe('the history in another process', () => {
  test('sees what this one adds, and goes on with what it knows while the store is gone', async () => {
    const { gates, store, clock } = world();
    const other = createRolloutHistory({ store, clock, logger: silentLogger });
    other.start();
    const stop = {
      subjectKind: 'experiment',
      subject: 'tone',
      from: 'running',
      to: 'baseline',
      revision: 'sha256:one',
      decision: 'stopped',
      reason: 'harm',
      actor: 'key-a',
      gate: { state: 'none', overrideReason: null, targets: [] },
      live: [],
      facts: null,
    } as const;

    await gates.record(stop);
    await clock.advance(250);
    const seen = other.stop({ name: 'tone', revision: 'sha256:one' });
    store.fail(new AppError('storage_unavailable', 'gone'));
    await clock.advance(10_000);

    expect(seen).toMatchObject({ decision: 'stopped', reason: 'harm' });
    expect(other.stop({ name: 'tone', revision: 'sha256:one' })).toEqual(seen);
    expect(other.stop({ name: 'tone', revision: 'sha256:two' })).toBeNull();
    store.fail(null);
    await other.close();
  });
});
