import { useEffect, useState } from 'preact/hooks';

interface CodeBlockProps {
  /** Says to a screen reader what the text is. */
  readonly label: string;
  readonly text: string;
}

const COPIED_MS = 2_000;

/** Text to read exactly or to copy. It scrolls on its own, also by keyboard. */
export function CodeBlock({ label, text }: CodeBlockProps) {
  const [isCopied, setIsCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return undefined;
    const timer = setTimeout(() => setIsCopied(false), COPIED_MS);
    return () => clearTimeout(timer);
  }, [isCopied]);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(text);
    setIsCopied(true);
  };
  return (
    <div class="code-block">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard. */}
      <section class="code-scroll" aria-label={label} tabIndex={0}>
        <pre>
          <code>{text}</code>
        </pre>
      </section>
      {/* Browsers offer the clipboard to secure and loopback addresses only. */}
      {globalThis.isSecureContext && (
        <button type="button" class="button-quiet code-copy" onClick={() => void copy()}>
          {isCopied ? 'Copied' : 'Copy'}
        </button>
      )}
    </div>
  );
}
