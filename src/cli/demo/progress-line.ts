import type { CliContext } from '../cli-context.ts';

export interface ProgressLine {
  /** Reports how many of the total are done. */
  update(done: number, note: string): void;
  finish(): void;
}

const BAR_CHARACTERS = 24;
/** Off a terminal one line per tenth is enough. */
const PLAIN_STEPS = 10;

/** One line, rewritten in place on a terminal; plain lines elsewhere. */
export function createProgressLine(stream: CliContext['stderr'], total: number, label: string): ProgressLine {
  let shown = -1;
  if (stream.isTTY !== true) {
    return {
      update: (done, note) => {
        const step = total === 0 ? PLAIN_STEPS : Math.floor((done / total) * PLAIN_STEPS);
        if (step <= shown) return;
        shown = step;
        stream.write(`${label}: ${done} of ${total}${note === '' ? '' : `, ${note}`}\n`);
      },
      finish: () => {},
    };
  }
  return {
    update: (done, note) => {
      const percent = total === 0 ? 100 : Math.floor((done / total) * 100);
      if (percent === shown) return;
      shown = percent;
      const filled = Math.round((percent / 100) * BAR_CHARACTERS);
      const bar = '█'.repeat(filled) + '░'.repeat(BAR_CHARACTERS - filled);
      // \x1b[K clears what a longer line before left behind.
      stream.write(`\r${label} ${bar} ${String(percent).padStart(3)} %  ${note}\x1b[K`);
    },
    finish: () => {
      stream.write('\n');
    },
  };
}
