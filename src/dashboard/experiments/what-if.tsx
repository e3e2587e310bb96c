import type { ExperimentReport, OffPolicy } from '../api/experiment-wire.ts';
import { useResource } from '../api/use-resource.ts';
import { Fact, Facts } from '../components/facts.tsx';
import { ChoiceFilter, TextFilter } from '../components/filters.tsx';
import { ResourceView } from '../components/resource-view.tsx';
import { Verdict } from '../components/verdict.tsx';
import { formatCount, formatInterval, formatReward, formatShare } from '../format.ts';
import { useQuery } from '../router.ts';
import { weightsExample, whatIfChoices } from './experiment-words.ts';

/** What another policy would have earned on the decisions that were made. The question lives in the address. */
export function WhatIf({ report }: { readonly report: ExperimentReport }) {
  const [query] = useQuery();
  const policy = query['policy'] ?? '';
  const path = `/analytics/experiments/${encodeURIComponent(report.experiment)}?policy=${encodeURIComponent(policy)}`;
  // Not read again by itself: it goes over raw decisions.
  const answer = useResource<ExperimentReport>(policy === '' ? null : path, { pollMs: 0 });
  return (
    <section class="panel">
      <h2>What if</h2>
      <p class="muted">What another way of assigning would have earned, on the same decisions.</p>
      <div class="filters filters-wide">
        <ChoiceFilter
          name="policy"
          label="Instead"
          choices={whatIfChoices(report.arms, report.policy_revisions)}
        />
        <TextFilter name="policy" label="Or in writing" placeholder={weightsExample(report.arms)} />
      </div>
      {policy !== '' && (
        <ResourceView resource={answer} what="the estimate">
          {({ off_policy: estimate }) =>
            estimate === undefined ? <p class="muted">No estimate.</p> : <Estimate estimate={estimate} />
          }
        </ResourceView>
      )}
    </section>
  );
}

function Estimate({ estimate }: { readonly estimate: OffPolicy }) {
  const { gate, interval, on_policy: made } = estimate;
  return (
    <>
      <Verdict
        tone={gate.concludes ? 'settled' : 'warning'}
        heading={gate.concludes ? estimate.policy : 'The numbers must not be acted on'}
      >
        {estimate.text}
      </Verdict>
      {gate.reasons.length > 0 && (
        <ul>
          {gate.reasons.map(({ fault, message }) => (
            <li key={fault}>{message}</li>
          ))}
        </ul>
      )}
      <Facts>
        <Fact name="Would have earned">
          {interval === null
            ? '–'
            : `${formatInterval(interval.lower, interval.upper)}, with ${formatShare(interval.confidence)} at every look`}
        </Fact>
        <Fact name="Earned in truth">
          {formatReward(made.mean)}
          {made.interval !== null && ` (${formatInterval(made.interval.lower, made.interval.upper)})`}
        </Fact>
        <Fact name="Decisions">
          {formatCount(estimate.decisions)}, worth {formatCount(Math.round(estimate.effective_sample_size))}{' '}
          of this policy's own
          {estimate.decisions_without_propensities > 0 &&
            `; ${formatCount(estimate.decisions_without_propensities)} left out for want of propensities`}
        </Fact>
        <Fact name="Never tried">{formatShare(estimate.share_without_support)} of what it would choose</Fact>
      </Facts>
    </>
  );
}
