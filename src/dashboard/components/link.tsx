import type { ComponentChildren, TargetedMouseEvent } from 'preact';
import { navigate } from '../router.ts';

interface LinkProps {
  /** Of this page: see `pageHref`. */
  readonly href: string;
  readonly class?: string;
  readonly current?: 'page' | undefined;
  readonly children: ComponentChildren;
}

/** A link within the page. New tabs and windows stay the browser's business. */
export function Link({ href, class: className, current, children }: LinkProps) {
  const follow = (event: TargetedMouseEvent<HTMLAnchorElement>): void => {
    const isPlain = event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
    if (!isPlain || event.defaultPrevented) return;
    event.preventDefault();
    navigate(href);
  };
  return (
    <a href={href} class={className} aria-current={current} onClick={follow}>
      {children}
    </a>
  );
}
