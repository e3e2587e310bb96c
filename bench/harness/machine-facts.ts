import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { availableParallelism, cpus, release, tmpdir } from 'node:os';
import { join } from 'node:path';

import { median } from './quantile.ts';

export interface MachineFacts {
  readonly date: string;
  readonly cores: number;
  readonly cpuModel: string;
  readonly system: string;
  readonly nodeVersion: string;
  /** Median of a small append and its sync, in the folder of the databases: what no durable answer can be faster than. */
  readonly syncMs: number;
}

const SYNCS = 200;
const PAGE_BYTES = 4096;

export function machineFacts(): MachineFacts {
  return {
    date: new Date().toISOString().slice(0, 10),
    cores: availableParallelism(),
    cpuModel: cpus()[0]?.model.trim() ?? 'unknown',
    system: `${process.platform} ${release()} ${process.arch}`,
    nodeVersion: process.version,
    syncMs: measureSync(),
  };
}

function measureSync(): number {
  const path = join(tmpdir(), `prompt-gateway-sync-${process.pid}`);
  const file = openSync(path, 'w');
  try {
    const page = Buffer.alloc(PAGE_BYTES, 1);
    return median(
      Array.from({ length: SYNCS }, () => {
        const startMs = performance.now();
        writeSync(file, page);
        fdatasyncSync(file);
        return performance.now() - startMs;
      }),
    );
  } finally {
    closeSync(file);
    rmSync(path, { force: true });
  }
}
