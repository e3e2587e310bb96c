import type { OffPolicyReport } from './off-policy-report.ts';
import { shownDecimals } from './shown-decimals.ts';
import type { TargetChoice, TargetPolicy } from './target-policy.ts';

/** `Everybody on v3 would have earned 0.47 to 0.53 (now 0.35).` · `Cannot say what …: …` */
export function offPolicyText(
  subject: string,
  { gate, interval, onPolicy }: Pick<OffPolicyReport, 'gate' | 'interval' | 'onPolicy'>,
): string {
  if (!gate.concludes || interval === null) {
    const reasons = gate.reasons.map(({ message }) => message).join(' ');
    return `Cannot say what ${subject} would have earned. ${reasons}`;
  }
  const { lower, upper } = interval;
  const values = [lower, upper, ...(onPolicy.mean === null ? [] : [onPolicy.mean])];
  const decimals = shownDecimals(values);
  const [least, most, now] = values.map((value) => value.toFixed(decimals));
  const over = interval.truncated ? ` over the newest ${interval.decisions} decisions` : '';
  const present = now === undefined ? '' : ` (now ${now})`;
  return `${capitalised(subject)} would have earned ${least} to ${most}${over}${present}.`;
}

export function experimentSubject(target: TargetPolicy): string {
  switch (target.kind) {
    case 'arm':
      return `everybody on ${target.arm}`;
    case 'uniform':
      return 'an even split over the arms';
    case 'weights':
      return `the split ${[...target.weights].map(([arm, share]) => `${arm} ${Number(share.toFixed(4))}`).join(', ')}`;
    case 'revision':
      return `the probabilities of ${target.revision}`;
    default:
      return target satisfies never;
  }
}

export function choiceSubject(choice: TargetChoice): string {
  switch (choice.kind) {
    case 'uniform':
      return 'a choice at random';
    case 'greedy':
      return 'the best estimate every time';
    case 'first':
      return "the first of the caller's own order";
    case 'policy':
      return `the policy ${choice.policy}`;
    default:
      return choice satisfies never;
  }
}

function capitalised(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}
