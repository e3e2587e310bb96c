import { readdirSync, readFileSync } from 'node:fs';

/** Of a running process, as Linux tells. */
export interface ProcessFacts {
  readonly residentMb: number;
  /** Open files, sockets and pipes. */
  readonly openFiles: number;
}

export function processFacts(pid: number | undefined): ProcessFacts {
  const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return { residentMb: Number(kilobytes) / 1_024, openFiles: readdirSync(`/proc/${pid}/fd`).length };
}
