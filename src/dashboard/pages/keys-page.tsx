import { useEffect, useRef, useState } from 'preact/hooks';
import type { ApiKey, CreatedApiKey } from '../api/access-wire.ts';
import { useApi, useScope } from '../api/api-context.ts';
import { REPORT_POLL_MS, useResource } from '../api/use-resource.ts';
import { ConfirmDialog } from '../components/confirm-dialog.tsx';
import { EmptyState } from '../components/empty-state.tsx';
import { PageHeading } from '../components/page-heading.tsx';
import { ResourceView } from '../components/resource-view.tsx';
import { CreatedKey } from '../keys/created-key.tsx';
import { KeyForm } from '../keys/key-form.tsx';
import { KeyTable } from '../keys/key-table.tsx';
import type { PageProps } from '../page-props.ts';

/** Who may use the gateway. */
export function KeysPage(_props: PageProps) {
  const isAdmin = useScope('admin');
  if (isAdmin) return <Keys />;
  return (
    <>
      <PageHeading title="Keys" />
      <p class="note">
        Your key may not see or change keys: that needs the scope <code>admin</code>.
      </p>
    </>
  );
}

type Step =
  | { readonly kind: 'list' }
  | { readonly kind: 'draft' }
  | { readonly kind: 'created'; readonly created: CreatedApiKey; readonly isFirstKey: boolean };

const LIST: Step = { kind: 'list' };

function Keys() {
  const { api, session } = useApi();
  const [step, setStep] = useState<Step>(LIST);
  const [revoked, setRevoked] = useState<ApiKey | null>(null);
  // Nothing is asked while a new key is shown: after the first one an answer could be "sign in", and the key be lost.
  const list = useResource<{ readonly keys: readonly ApiKey[] }>(step.kind === 'created' ? null : '/keys', {
    pollMs: REPORT_POLL_MS,
  });
  const isFirstKey = session.open;
  const newKey = useRef<HTMLButtonElement>(null);
  const wasOpen = useRef(false);
  useEffect(() => {
    // What had the focus is gone: it goes back to where it came from.
    if (wasOpen.current && step.kind === 'list') newKey.current?.focus();
    wasOpen.current = step.kind !== 'list';
  }, [step]);

  return (
    <>
      <PageHeading title="Keys">
        <button
          ref={newKey}
          type="button"
          class={step.kind === 'list' ? 'button-primary' : undefined}
          disabled={step.kind === 'created'}
          aria-expanded={step.kind === 'draft'}
          onClick={() => setStep(step.kind === 'draft' ? LIST : { kind: 'draft' })}
        >
          New key
        </button>
      </PageHeading>
      {step.kind === 'draft' && (
        <KeyForm
          isFirstKey={isFirstKey}
          onCreated={(created) => setStep({ kind: 'created', created, isFirstKey })}
          onCancel={() => setStep(LIST)}
        />
      )}
      {step.kind === 'created' ? (
        <CreatedKey
          created={step.created}
          isFirstKey={step.isFirstKey}
          onKept={() => {
            // Who reads may have become somebody without a key: begin again from the sign-in.
            if (step.isFirstKey) location.reload();
            else setStep(LIST);
          }}
        />
      ) : (
        <ResourceView resource={list} what="the keys">
          {({ keys }) =>
            keys.length === 0 ? (
              <EmptyState
                title="This gateway has no keys: everybody who reaches it may do everything."
                command="npx prompt-gateway keys create ops --scopes admin --expires 90d"
              >
                <p class="muted">
                  It listens on this machine only until the first key exists. Make it here, or on the machine
                  with:
                </p>
              </EmptyState>
            ) : (
              <section class="panel" aria-label="Keys">
                <KeyTable keys={keys} ownKeyId={session.key_id} onRevoke={setRevoked} />
              </section>
            )
          }
        </ResourceView>
      )}
      {revoked !== null && (
        <ConfirmDialog
          title={`Revoke the key “${revoked.name}”?`}
          confirmText="Revoke the key"
          isDanger
          onConfirm={async (reason) => {
            await api.change('POST', `/keys/${encodeURIComponent(revoked.id)}/revoke`, { reason });
            list.reload();
          }}
          onClose={() => setRevoked(null)}
        >
          <p>
            Whoever uses it is refused within a second, running streams included. This cannot be taken back; a
            new key can be made.
          </p>
          {revoked.id === session.key_id && (
            <p class="note note-warning">It is the key you are signed in with: your session ends too.</p>
          )}
        </ConfirmDialog>
      )}
    </>
  );
}
