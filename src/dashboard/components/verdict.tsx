import type { ComponentChildren } from 'preact';
import type { VerdictTone } from './verdict-tone.ts';

interface VerdictProps {
  readonly tone: VerdictTone;
  /** In a few words; says what the colour says. */
  readonly heading: string;
  readonly children: ComponentChildren;
}

/** The answer, before the numbers. */
export function Verdict({ tone, heading, children }: VerdictProps) {
  return (
    <div class={`verdict verdict-${tone}`}>
      <svg class="verdict-mark" viewBox="0 0 24 24" width="24" height="24" aria-hidden="true">
        <circle cx="12" cy="12" r="11" />
        <path d={MARKS[tone]} />
      </svg>
      <div>
        <p class="verdict-heading">{heading}</p>
        <div class="verdict-text">{children}</div>
      </div>
    </div>
  );
}

const MARKS: Readonly<Record<VerdictTone, string>> = {
  settled: 'M7 12.5l3.5 3.5L17 9',
  open: 'M12 6.5V12l3.5 2.5',
  warning: 'M12 6.5v7M12 16.8v.4',
};
