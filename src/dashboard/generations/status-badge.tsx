import type { GenerationStatus, GenerationSummary } from '../api/generation-wire.ts';

const STATUSES: Readonly<Record<GenerationStatus, readonly [className: string, text: string]>> = {
  ok: ['badge-good', 'ok'],
  error: ['badge-bad', 'error'],
  incomplete: ['badge-warning', 'incomplete'],
  client_closed: ['badge-warning', 'client left'],
};

type Flags = Pick<
  GenerationSummary,
  'status' | 'error_code' | 'degraded' | 'fell_back' | 'test' | 'replay' | 'shadow_of' | 'forced'
>;

/** How a call ended, and what sets it apart from the calls that reports count. */
export function StatusBadges({ call }: { readonly call: Flags }) {
  const [className, text] = STATUSES[call.status];
  return (
    <span class="badges">
      <span class={`badge ${className}`}>
        {text}
        {call.error_code !== null && `: ${call.error_code}`}
      </span>
      {call.degraded && <span class="badge badge-warning">authored lines</span>}
      {call.fell_back && !call.degraded && <span class="badge badge-warning">fell back</span>}
      {call.shadow_of !== null && <span class="badge">shadow</span>}
      {call.test && <span class="badge">test</span>}
      {call.replay && <span class="badge">replay</span>}
      {call.forced && <span class="badge">version named by the caller</span>}
    </span>
  );
}
