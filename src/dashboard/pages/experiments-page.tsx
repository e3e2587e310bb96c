import { PageHeading } from '../components/page-heading.tsx';
import type { PageProps } from '../page-props.ts';

export function ExperimentsPage(_props: PageProps) {
  return <PageHeading title="Experiments" />;
}
