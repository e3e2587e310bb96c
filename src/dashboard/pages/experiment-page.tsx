import { PageHeading } from '../components/page-heading.tsx';
import type { PageProps } from '../page-props.ts';

export function ExperimentPage(_props: PageProps) {
  return <PageHeading title="Experiment" />;
}
