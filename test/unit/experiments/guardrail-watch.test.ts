import { describe, expect, test } from '@jest/globals';
import {
  createExperimentStops,
  createGuardrailWatch,
  createRolloutHistory,
  type Experiment,
  type ExperimentHealth,
  type GuardrailFinding,
  type RolloutGates,
} from '../../../src/experiments/index.ts';
import { AppError, type Logger } from '../../../src/kernel/index.ts';
import { manualClock } from '../../fakes/manual-clock.ts';
import { memoryRollouts } from '../../fakes/memory-rollouts.ts';
import { experiment } from '../../fakes/scripted-experiments.ts';

const GUARDED = experiment({
  guardrails: [{ kind: 'error_rate', maxIncrease: 0.02 }],
  guardrailIntervalMs: 5_000,
});
const BREACH: GuardrailFinding = {
  key: 'error_rate:0.02',
  guardrail: 'error_rate',
  limit: 0.02,
  confidence: 0.95,
  method: 'union bound',
  breached: true,
  waived: false,
  arms: [{ arm: 'warm', loss: 0.2, lower: 0.11, upper: 0.3, breached: true }],
};
const SOUND = { alarm: false, pValue: 0.7, units: 100 };

interface World {
  experiments: readonly Experiment[];
  readonly health: {
    guardrails: ExperimentHealth['guardrails'];
    sampleRatio: ExperimentHealth['sampleRatio'];
  };
  readonly looks: string[];
}

function world(experiments: readonly Experiment[] = [GUARDED]) {
  const clock = manualClock();
  const store = memoryRollouts();
  const logged: { readonly level: string; readonly fields: Readonly<Record<string, unknown>> }[] = [];
  const at = (level: string) => (fields: object) => {
    logged.push({ level, fields: { ...fields } });
  };
  const logger: Logger = { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') };
  const state: World = {
    experiments,
    looks: [],
    health: { guardrails: async () => [], sampleRatio: async () => SOUND },
  };
  /** One process over the store. */
  const process = () => {
    let events = store.events.length;
    const history = createRolloutHistory({ store, clock, logger });
    const record: RolloutGates['record'] = (event) => {
      events += 1;
      return history.append({ ...event, id: `rol_${events}`, createdAtMs: clock.nowMs() });
    };
    const stops = createExperimentStops({
      experiments: () => state.experiments,
      history,
      gates: { record },
      logger,
    });
    const watch = createGuardrailWatch({
      experiments: () => state.experiments,
      health: {
        guardrails: async (seen) => {
          state.looks.push(seen.name);
          const findings = await state.health.guardrails(seen);
          return findings.map((finding) => ({ ...finding, waived: stops.waived(seen).has(finding.key) }));
        },
        sampleRatio: (seen) => state.health.sampleRatio(seen),
      },
      stops,
      clock,
      logger,
    });
    return { history, stops, watch };
  };
  const events = () => logged.map(({ fields }) => fields['event']);
  return { clock, store, logged, events, state, process };
}

describe('a breached guardrail', () => {
  test('ends the experiment at once, says why, and keeps it ended in the next process', async () => {
    const { clock, state, process, store, logged } = world();
    const { watch, stops } = process();
    state.health.guardrails = async () => [BREACH];
    const before = stops.apply(state.experiments);

    watch.start();
    await clock.advance(1_000);
    await watch.close();

    expect(before).toEqual([GUARDED]);
    expect(stops.apply(state.experiments)).toEqual([{ ...GUARDED, stopMs: clock.nowMs() }]);
    expect(stops.find(GUARDED)).toMatchObject({ by: 'guardrail', guardrail: 'error_rate', actor: 'gateway' });
    expect(stops.find(GUARDED)?.reason).toBe(
      'error_rate of warm is certainly more than 0.02 worse than that of control: by 0.11 to 0.3',
    );
    expect(store.events).toMatchObject([
      { decision: 'stopped', subject: 'tone', facts: { guardrail: 'error_rate', arm: 'warm', lower: 0.11 } },
    ]);
    expect(logged).toContainEqual({
      level: 'error',
      fields: expect.objectContaining({ event: 'experiment_stopped', experiment: 'tone', arm: 'warm' }),
    });
    const restarted = process();
    await restarted.history.catchUp();
    expect(restarted.stops.find(GUARDED)).toEqual(stops.find(GUARDED));
    expect(restarted.stops.find({ ...GUARDED, revision: 'sha256:two' })).toBeNull();
  });

  test('is in force also when the history cannot be read at that moment', async () => {
    const { state, process, store } = world();
    const { watch, stops } = process();
    state.health.guardrails = async () => [BREACH];
    const before = stops.apply(state.experiments);
    store.failReads(new AppError('storage_unavailable', 'gone'));

    await watch.check(GUARDED);

    expect(before[0]?.stopMs).toBeNull();
    expect(stops.apply(state.experiments)[0]?.stopMs).not.toBeNull();
  });

  test('is written once, and nothing looks at a stopped experiment', async () => {
    const { clock, state, process, store } = world();
    const { watch } = process();
    state.health.guardrails = async () => [BREACH];

    watch.start();
    await clock.advance(60_000);
    await watch.close();

    expect(store.events).toHaveLength(1);
    expect(state.looks).toEqual(['tone']);
  });

  test('stops no more once somebody resumed without it, while another one does', async () => {
    const { clock, state, process } = world();
    const { watch, stops } = process();
    state.health.guardrails = async () => [BREACH];
    await watch.check(GUARDED);

    const { waived } = await stops.resume({ experiment: 'tone', reason: 'a fault of ours', actor: 'key-a' });
    await clock.advance(1_000);
    await watch.check(GUARDED);
    const afterWaived = stops.find(GUARDED);
    state.health.guardrails = async () => [
      BREACH,
      { ...BREACH, key: 'metric:completed:0.1', guardrail: 'completed' },
    ];
    await watch.check(GUARDED);

    expect(waived).toEqual(['error_rate:0.02']);
    expect(afterWaived).toBeNull();
    expect(stops.find(GUARDED)?.guardrail).toBe('completed');
  });
});

describe('the watch', () => {
  test('looks at each running experiment at its interval', async () => {
    const { clock, state, process } = world([
      GUARDED,
      { ...GUARDED, name: 'slow', guardrailIntervalMs: 20_000 },
      { ...GUARDED, name: 'later', startMs: Date.UTC(2099, 0, 1) },
      { ...GUARDED, name: 'over', stopMs: 0 },
    ]);
    const { watch } = process();

    watch.start();
    await clock.advance(21_000);
    await watch.close();

    expect(state.looks.filter((name) => name === 'tone')).toHaveLength(5);
    expect(state.looks.filter((name) => name === 'slow')).toHaveLength(2);
    expect(state.looks).not.toContain('later');
    expect(state.looks).not.toContain('over');
  });

  test('goes on when it cannot look, and says so once and when it can again', async () => {
    const { clock, state, process, events } = world();
    const { watch } = process();
    state.health.guardrails = async () => {
      throw new AppError('storage_unavailable', 'gone');
    };

    watch.start();
    await clock.advance(30_000);
    state.health.guardrails = async () => [];
    await clock.advance(10_000);
    await watch.close();

    expect(events()).toEqual(['guardrails_not_checked', 'guardrails_checked']);
  });

  test('stops by a guardrail even when the sample ratio cannot be told', async () => {
    const { state, process } = world();
    const { watch, stops } = process();
    state.health.guardrails = async () => [BREACH];
    state.health.sampleRatio = async () => {
      throw new AppError('storage_unavailable', 'gone');
    };

    await expect(watch.check(GUARDED)).rejects.toMatchObject({ code: 'storage_unavailable' });
    expect(stops.find(GUARDED)).not.toBeNull();
  });

  test('keeps the first alarm of a definition for ever, however sound it looks later', async () => {
    const { clock, state, process, store, events } = world();
    const { watch, stops } = process();
    state.health.sampleRatio = async () => ({ alarm: true, pValue: 0.0002, units: 500 });

    await watch.check(GUARDED);
    const raisedAtMs = clock.nowMs();
    state.health.sampleRatio = async () => SOUND;
    await clock.advance(10_000);
    await watch.check(GUARDED);

    expect(stops.alarm(GUARDED)).toEqual({ atMs: raisedAtMs, pValue: 0.0002 });
    expect(stops.find(GUARDED)).toBeNull();
    expect(store.events).toHaveLength(1);
    expect(events()).toEqual(['experiment_assignment_broken']);
    const restarted = process();
    await restarted.history.catchUp();
    expect(restarted.stops.alarm(GUARDED)).toEqual(stops.alarm(GUARDED));
    expect(restarted.stops.alarm({ ...GUARDED, revision: 'sha256:two' })).toBeNull();
  });
});

describe('a stop by hand', () => {
  test('is in force at once, and a second one changes nothing', async () => {
    const { process, store } = world();
    const { stops } = process();
    const asked = { experiment: 'tone', reason: 'complaints', actor: 'key-a' };

    const first = await stops.stop(asked);
    const second = await stops.stop({ ...asked, reason: 'again' });

    expect(first).toMatchObject({ by: 'admin', reason: 'complaints', actor: 'key-a', guardrail: null });
    expect(second).toEqual(first);
    expect(store.events).toHaveLength(1);
  });

  test.each([
    [{ experiment: 'tune' }, 'experiment_not_found'],
    [{ reason: '  ' }, 'invalid_request'],
    [{ reason: 'x'.repeat(501) }, 'invalid_request'],
  ])('is refused for %j', async (given, code) => {
    const { stops } = world().process();

    await expect(stops.stop({ experiment: 'tone', reason: 'x', actor: 'a', ...given })).rejects.toMatchObject(
      {
        code,
      },
    );
  });

  test('cannot be taken back where there is none', async () => {
    const { stops } = world().process();

    await expect(stops.resume({ experiment: 'tone', reason: 'x', actor: 'a' })).rejects.toMatchObject({
      code: 'conflict',
    });
  });
});
