import type { Attention } from '../api/wire-types.ts';
import { Link } from '../components/link.tsx';
import { pathBelowRoot } from '../match-path.ts';

const SEVERITY: Readonly<Record<Attention['severity'], { readonly word: string; readonly badge: string }>> = {
  critical: { word: 'critical', badge: 'badge badge-bad' },
  warning: { word: 'warning', badge: 'badge badge-warning' },
  info: { word: 'note', badge: 'badge' },
};

/** What somebody should look at, worst first. */
export function AttentionList({ items }: { readonly items: readonly Attention[] }) {
  return (
    <section class="panel" aria-labelledby="attention-title">
      <h2 id="attention-title">Needs attention</h2>
      <ul class="attention">
        {items.map((item) => (
          <li key={`${item.code} ${item.prompt ?? ''} ${item.experiment ?? ''} ${item.message}`}>
            <span class={SEVERITY[item.severity].badge}>{SEVERITY[item.severity].word}</span>
            <span>
              {item.message} <AttentionLink link={item.link} />
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function AttentionLink({ link }: { readonly link: string | null }) {
  // Only paths of the gateway itself: a link of another shape would be a fault, not somewhere to go.
  if (link === null || !/^\/(?!\/)/.test(link)) return null;
  return pathBelowRoot(link) === null ? <a href={link}>Look</a> : <Link href={link}>Look</Link>;
}
