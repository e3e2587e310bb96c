import { Link } from '../components/link.tsx';
import { PageHeading } from '../components/page-heading.tsx';
import { pageHref } from '../match-path.ts';
import type { PageProps } from '../page-props.ts';

export function NotFoundPage(_props: PageProps) {
  return (
    <>
      <PageHeading title="No such page" />
      <p>
        Nothing is at this address. <Link href={pageHref('/')}>Go to the overview</Link>.
      </p>
    </>
  );
}
