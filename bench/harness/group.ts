import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { FakeUpstream } from './fake-upstream.ts';
import { openFeedbackGateway } from './feedback-load.ts';
import type { Subject } from './measure.ts';
import type { GroupName, Scenario } from './scenario.ts';
import { SCORE_REQUESTS, startScoreGateway } from './score-load.ts';
import type { ServerProcess } from './server-process.ts';
import { startTarget } from './start-target.ts';
import type { Target, TargetName } from './target.ts';

/** A server that takes part in the scenarios of its group. */
export interface Contender {
  readonly name: TargetName;
  readonly title: string;
  readonly logs: string;
  readonly server: ServerProcess;
  /** Holds its database, if it has one. */
  readonly folder: string;
  subjectOf(scenario: Scenario, round: number): Subject;
}

export interface Plan {
  readonly rounds: number;
  readonly seconds: number;
  readonly nodeArguments?: readonly string[];
}

export interface OpenGroup {
  readonly contenders: readonly Contender[];
  /** Why another gateway does not take part: it did not start here. */
  readonly leftOut: readonly string[];
  close(): Promise<void>;
  removeFiles(): void;
}

const MAX_REASON_CHARACTERS = 300;
const PEERS: readonly TargetName[] = ['portkey', 'litellm'];

/** Starts the servers of a group one after the other; each has a folder of its own. */
export async function openGroup(
  group: GroupName,
  names: readonly TargetName[],
  upstream: FakeUpstream,
  plan: Plan,
): Promise<OpenGroup> {
  const folder = mkdtempSync(join(tmpdir(), 'prompt-gateway-bench-'));
  const contenders: Contender[] = [];
  const leftOut: string[] = [];
  const close = async (): Promise<void> => {
    for (const { name, server } of contenders) if (name !== 'fake') await server.stop();
  };
  const removeFiles = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    // A ranking or an outcome is nothing that the others could answer.
    const able = group === 'generate' ? names : names.filter((name) => name === 'gateway');
    for (const name of able) {
      const own = mkdtempSync(join(folder, `${name}-`));
      try {
        contenders.push(await openContender(group, name, upstream, own, plan));
      } catch (error) {
        if (!PEERS.includes(name)) throw error;
        leftOut.push(`${name}: ${String(error).slice(0, MAX_REASON_CHARACTERS)}`);
      }
    }
    return { contenders, leftOut, close, removeFiles };
  } catch (error) {
    await close();
    removeFiles();
    throw error;
  }
}

async function openContender(
  group: GroupName,
  name: TargetName,
  upstream: FakeUpstream,
  folder: string,
  plan: Plan,
): Promise<Contender> {
  if (group === 'score') {
    const target = await startScoreGateway(upstream, folder, plan.nodeArguments);
    return contenderOf(target, folder, ({ isKeyed }) => ({
      server: target.server,
      requests: { ...SCORE_REQUESTS, isKeyed },
      shape: null,
      isSound: (text) => text.includes('"ranking":[') && text.includes('"chosen":"candidate-'),
    }));
  }
  if (group === 'feedback') {
    const { target, requestsOf } = await openFeedbackGateway(upstream, folder, plan);
    return contenderOf(target, folder, (scenario, round) => ({
      server: target.server,
      requests: requestsOf(scenario.itemsPerRequest, round),
      shape: null,
      isSound: (text) => text.includes('"accepted":'),
    }));
  }
  const target = await startTarget(name, upstream, folder, plan.nodeArguments);
  const { calls, server } = target;
  return contenderOf(target, folder, ({ isStreamed }) => ({
    server,
    requests: isStreamed ? calls.streamed : calls.whole,
    shape: isStreamed ? calls.shape : null,
    isSound: (text) => text.includes(upstream.text),
  }));
}

function contenderOf(target: Target, folder: string, subjectOf: Contender['subjectOf']): Contender {
  const { name, title, logs, server } = target;
  return { name, title, logs, server, folder, subjectOf };
}
