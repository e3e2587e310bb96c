import { useResource } from '../api/use-resource.ts';
import type { Prompt, PromptDiff, PromptVersion } from '../api/wire-types.ts';
import { CodeBlock } from '../components/code-block.tsx';
import { DataTable } from '../components/data-table.tsx';
import { type Choice, ChoiceFilter, Filters } from '../components/filters.tsx';
import { ResourceView } from '../components/resource-view.tsx';
import { shortHash } from '../format.ts';
import { useQuery } from '../router.ts';
import { DiffText } from './diff-text.tsx';
import { PreviewPanel } from './preview-panel.tsx';

const VIEWS: readonly Choice[] = [
  { value: '', text: 'Preview' },
  { value: 'text', text: 'Text' },
  { value: 'diff', text: 'Difference' },
];
/** Files change with a reload of the prompts at most. */
const VERSION_POLL_MS = 15_000;

/** One version: what it renders to, its text, and how it differs from another. Which one lives in the address. */
export function VersionPanel({ prompt }: { readonly prompt: Prompt }) {
  const [query] = useQuery();
  const names = prompt.versions.map(({ version }) => version);
  const version = query['version'] ?? names.at(-1) ?? 'v1';
  const against = query['against'] ?? names.at(Math.max(0, names.indexOf(version) - 1)) ?? version;
  const view = query['view'] ?? '';
  const choices = prompt.versions.map((item) => ({
    value: item.version,
    text: item.retired ? `${item.version} (retired)` : item.version,
  }));
  return (
    <section class="panel" aria-labelledby="version-title">
      <div class="panel-heading">
        <h2 id="version-title">Version {version}</h2>
        <Filters label="Which version, and how to show it">
          <ChoiceFilter name="version" label="Version" choices={choices} fallback={version} />
          <ChoiceFilter name="view" label="Show" choices={VIEWS} />
          {view === 'diff' && (
            <ChoiceFilter name="against" label="Compared with" choices={choices} fallback={against} />
          )}
        </Filters>
      </div>
      {view === 'diff' ? (
        <Difference prompt={prompt.name} from={against} to={version} />
      ) : (
        <OneVersion prompt={prompt.name} version={version} isText={view === 'text'} />
      )}
    </section>
  );
}

interface OneVersionProps {
  readonly prompt: string;
  readonly version: string;
  readonly isText: boolean;
}

function OneVersion({ prompt, version, isText }: OneVersionProps) {
  const path = `/prompts/${encodeURIComponent(prompt)}/versions/${encodeURIComponent(version)}`;
  const resource = useResource<PromptVersion>(path, { pollMs: VERSION_POLL_MS });
  return (
    <ResourceView resource={resource} what={`version ${version}`}>
      {(data) => (
        <>
          <p class="row">
            <code title={data.hash}>{shortHash(data.hash)}</code>
            {data.locked && <span class="badge">released</span>}
            {data.retired && <span class="badge badge-warning">retired</span>}
            {data.model !== null && <span class="badge">{data.model}</span>}
            <span class="muted">{data.description}</span>
          </p>
          {isText ? (
            <CodeBlock label={`Text of ${data.file}`} text={data.source} />
          ) : (
            <PreviewPanel key={`${data.version} ${data.hash}`} version={data} />
          )}
        </>
      )}
    </ResourceView>
  );
}

interface DifferenceProps {
  readonly prompt: string;
  readonly from: string;
  readonly to: string;
}

function Difference({ prompt, from, to }: DifferenceProps) {
  const parameters = new URLSearchParams({ from, to });
  const path = `/prompts/${encodeURIComponent(prompt)}/diff?${parameters}`;
  const resource = useResource<PromptDiff>(path, { pollMs: VERSION_POLL_MS });
  return (
    <ResourceView resource={resource} what="the difference">
      {(diff) =>
        diff.same ? (
          <p class="muted">
            {from} and {to} have the same content.
          </p>
        ) : (
          <>
            <Changes diff={diff} />
            <h3>Text</h3>
            <DiffText label={`Difference of the text from ${from} to ${to}`} text={diff.text} />
            {diff.output_schema !== '' && (
              <>
                <h3>Output schema</h3>
                <DiffText label="Difference of the output schema" text={diff.output_schema} />
              </>
            )}
          </>
        )
      }
    </ResourceView>
  );
}

function Changes({ diff }: { readonly diff: PromptDiff }) {
  const rows = [
    ...diff.variables.map((change) => ({ ...change, what: 'variable' })),
    ...diff.defaults.map((change) => ({ ...change, what: 'default' })),
    ...diff.parameters.map((change) => ({ ...change, what: 'parameter' })),
  ];
  if (rows.length === 0) return <p class="muted">Variables, defaults and parameters are the same.</p>;
  return (
    <DataTable
      caption="What changes beside the text"
      rows={rows}
      rowKey={({ what, name }) => `${what} ${name}`}
      columns={[
        { key: 'name', title: 'Name', isHeading: true, cell: ({ name }) => <code>{name}</code> },
        { key: 'what', title: 'Kind', cell: ({ what }) => what },
        { key: 'from', title: 'From', cell: ({ from }) => valueText(from) },
        { key: 'to', title: 'To', cell: ({ to }) => valueText(to) },
      ]}
    />
  );
}

function valueText(value: unknown): string {
  if (value === null || value === undefined) return 'not there';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
