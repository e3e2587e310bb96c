import { useEffect, useRef } from 'preact/hooks';
import type { CreatedApiKey } from '../api/access-wire.ts';
import { CodeBlock } from '../components/code-block.tsx';

interface CreatedKeyProps {
  readonly created: CreatedApiKey;
  readonly isFirstKey: boolean;
  readonly onKept: () => void;
}

/** The one time that a whole key is shown. It lives in this picture alone: not in the address, not in what is remembered. */
export function CreatedKey({ created, isFirstKey, onKept }: CreatedKeyProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <section class="key-once" aria-labelledby="created-key">
      <h2 id="created-key" ref={heading} tabIndex={-1}>
        The key “{created.name}” is made. Keep it now: it is not shown again.
      </h2>
      <CodeBlock label="The new key" text={created.key} />
      <p class="muted">
        Send it as <code>Authorization: Bearer …</code> or <code>x-api-key</code>. Only its fingerprint is
        stored.
        {isFirstKey && ' The gateway is no longer open: the next page asks for this key.'}
      </p>
      <div class="row">
        <button type="button" class="button-primary" onClick={onKept}>
          I have kept it
        </button>
      </div>
    </section>
  );
}
