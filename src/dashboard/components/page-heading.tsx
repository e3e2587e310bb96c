import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

interface PageHeadingProps {
  readonly title: string;
  /** A line above the title: where the page belongs. */
  readonly above?: ComponentChildren;
  readonly children?: ComponentChildren;
}

let hasShownPage = false;

/**
 * Title of a page, also of the browser's tab. After a move within the page the heading takes the focus, so that a screen
 * reader tells what came; not at the first page, where the browser does that itself.
 */
export function PageHeading({ title, above, children }: PageHeadingProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · prompt-gateway`;
  }, [title]);
  useEffect(() => {
    if (hasShownPage) {
      scrollTo(0, 0);
      heading.current?.focus({ preventScroll: true });
    }
    hasShownPage = true;
  }, []);
  return (
    <div class="page-heading">
      {above !== undefined && <p class="page-above">{above}</p>}
      <div class="page-heading-row">
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        {children}
      </div>
    </div>
  );
}
