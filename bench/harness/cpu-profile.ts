import { readFileSync } from 'node:fs';

/** What `node --cpu-prof` writes, as far as it is read here. Times are microseconds of the system's monotonic clock. */
interface CpuProfile {
  readonly startTime: number;
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: {
      readonly functionName: string;
      readonly url: string;
      readonly lineNumber: number;
    };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

export interface SelfTime {
  /** Of a function: `name file:line`; of a package: its name. */
  readonly name: string;
  readonly us: number;
}

export interface ThreadProfile {
  /** `main`, or the file that the thread runs. */
  readonly thread: string;
  /** Without the time in which it waited. */
  readonly busyUs: number;
  readonly packages: readonly SelfTime[];
  readonly functions: readonly SelfTime[];
}

interface Frame {
  readonly packageName: string;
  readonly functionName: string;
}

const IDLE = '(idle)';

/** Self-times of one thread between two instants of the monotonic clock. */
export function readCpuProfile(file: string, window: { fromUs: number; toUs: number }): ThreadProfile {
  const profile = JSON.parse(readFileSync(file, 'utf8')) as CpuProfile;
  const frames = new Map(profile.nodes.map((node) => [node.id, frameOf(node.callFrame)]));
  const packages = new Map<string, number>();
  const functions = new Map<string, number>();
  let busyUs = 0;
  let atUs = profile.startTime;
  profile.samples.forEach((id, index) => {
    atUs += profile.timeDeltas[index] ?? 0;
    // A sample stands for the time until the next one.
    const us = profile.timeDeltas[index + 1] ?? 0;
    const frame = frames.get(id);
    if (frame === undefined || frame.functionName === IDLE || atUs < window.fromUs || atUs >= window.toUs)
      return;
    busyUs += us;
    packages.set(frame.packageName, (packages.get(frame.packageName) ?? 0) + us);
    functions.set(frame.functionName, (functions.get(frame.functionName) ?? 0) + us);
  });
  return {
    thread: threadOf(file, profile),
    busyUs,
    packages: sorted(packages),
    functions: sorted(functions),
  };
}

function frameOf({ functionName, url, lineNumber }: CpuProfile['nodes'][number]['callFrame']): Frame {
  if (functionName === IDLE) return { packageName: IDLE, functionName: IDLE };
  if (functionName === '(garbage collector)') return { packageName: 'garbage collection', functionName };
  if (functionName === '(program)') return { packageName: 'native code of Node', functionName };
  const place = placeOf(url);
  const name = functionName === '' ? '(anonymous)' : functionName;
  const at = place.file === '' ? '' : ` ${place.file}:${lineNumber + 1}`;
  return { packageName: place.packageName, functionName: `${name}${at}` };
}

function placeOf(url: string): { readonly packageName: string; readonly file: string } {
  if (url === '') return { packageName: 'built-ins of V8', file: '' };
  if (url.startsWith('node:')) {
    const [, part = ''] = /^node:(?:internal\/)?([\w-]+)/.exec(url) ?? [];
    return { packageName: `node:${part}`, file: url };
  }
  const installed = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\/(.*)$/.exec(url);
  if (installed !== null) {
    const [, packageName = '', file = ''] = installed;
    return { packageName, file: `${packageName}/${file}` };
  }
  const [, room = '', file = ''] = /\/dist\/([\w-]+)(?:\.js|\/(.*))$/.exec(url) ?? [];
  return { packageName: `gateway: ${room}`, file: file === '' ? url : `${room}/${file}` };
}

/** The name of the file holds the number of the thread: 0 is the process's own. */
function threadOf(file: string, profile: CpuProfile): string {
  if (/\.0\.\d+\.cpuprofile$/.test(file)) return 'main';
  const entry = profile.nodes.map(({ callFrame }) => /([\w-]+-thread)\.[jt]s$/.exec(callFrame.url)?.[1]);
  return entry.find((name) => name !== undefined) ?? 'worker';
}

function sorted(totals: ReadonlyMap<string, number>): readonly SelfTime[] {
  return [...totals].map(([name, us]) => ({ name, us })).sort((a, b) => b.us - a.us);
}
