import type { ComponentChildren } from 'preact';
import { CodeBlock } from './code-block.tsx';

interface EmptyStateProps {
  readonly title: string;
  readonly children?: ComponentChildren;
  /** A command that makes the first row; it must work when pasted. */
  readonly command?: string;
}

/** Nothing to show yet, and what to do about it. */
export function EmptyState({ title, children, command }: EmptyStateProps) {
  return (
    <div class="empty-state">
      <p class="empty-title">{title}</p>
      {children}
      {command !== undefined && (
        <CodeBlock label={`${title}: command that makes the first row`} text={command} />
      )}
    </div>
  );
}
