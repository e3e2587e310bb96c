interface DiffTextProps {
  readonly label: string;
  /** A unified diff. */
  readonly text: string;
}

interface DiffLine {
  readonly number: number;
  readonly text: string;
  readonly kind: 'added' | 'removed' | 'place' | 'same';
}

/** A unified diff, its lines told apart by sign and colour. */
export function DiffText({ label, text }: DiffTextProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
    <section class="code-scroll diff" aria-label={label} tabIndex={0}>
      <pre>
        {diffLines(text).map((line) => (
          <LineText key={line.number} line={line} />
        ))}
      </pre>
    </section>
  );
}

function LineText({ line }: { readonly line: DiffLine }) {
  const text = `${line.text}\n`;
  if (line.kind === 'added') return <ins>{text}</ins>;
  if (line.kind === 'removed') return <del>{text}</del>;
  return <span class={line.kind === 'place' ? 'diff-place' : undefined}>{text}</span>;
}

function diffLines(text: string): readonly DiffLine[] {
  return text
    .replace(/\n$/, '')
    .split('\n')
    .map((line, number) => ({ number, text: line, kind: kindOf(line) }));
}

function kindOf(line: string): DiffLine['kind'] {
  if (/^(@@|---|\+\+\+|Index|===)/.test(line)) return 'place';
  if (line.startsWith('+')) return 'added';
  return line.startsWith('-') ? 'removed' : 'same';
}
