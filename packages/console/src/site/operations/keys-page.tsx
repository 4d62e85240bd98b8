import type { ApiKeyInfo, CreatedApiKey } from '@tallystick/protocol';
import { useEffect, useRef, useState } from 'preact/hooks';
import { usePlace } from '../address/place.ts';
import { ConfirmDialog } from '../elements/dialogs/dialog.tsx';
import { Empty } from '../elements/notices/empty.tsx';
import { Failure } from '../elements/notices/failure.tsx';
import { Notice } from '../elements/notices/notice.tsx';
import { useAction } from '../elements/requests/action.ts';
import { Badge } from '../elements/signs/badge.tsx';
import { Copyable } from '../elements/signs/copyable.tsx';
import { Ago } from '../elements/signs/time.tsx';
import { PagedTable } from '../elements/tables/paged-table.tsx';
import { useConsole } from '../session/console-context.ts';
import { NewKeyForm } from './new-key-form.tsx';
import './operations.css';

/** API keys: who has which rights, new ones, and their end. For operators. */
export function KeysPage() {
  const { client } = useConsole();
  const place = usePlace();
  const action = useAction();
  // Only here, and only until the reader leaves the page: the service can't show the key again.
  const [created, setCreated] = useState<MadeKey>();
  const [revoking, setRevoking] = useState<ApiKeyInfo>();
  const all = place.parameters.get('all') === '1';
  return (
    <div class="stack">
      {created !== undefined && <ShownOnce created={created} onCopied={() => setCreated(undefined)} />}
      {created === undefined && action.done !== undefined && <Notice title={action.done} />}
      {action.error !== undefined && <Failure error={action.error} />}
      <NewKeyForm
        create={async (key) => {
          let made = false;
          await action.run(async () => {
            setCreated({ ...(await client.apiKeys.create(key)), name: key.name });
            made = true;
            return `The key “${key.name}” can be used now.`;
          });
          return made;
        }}
      />
      <label class="check">
        <input
          type="checkbox"
          checked={all}
          onChange={(event) => place.change({ all: event.currentTarget.checked ? '1' : undefined })}
        />
        Show revoked and expired keys too
      </label>
      <section class="panel" aria-label="API keys">
        <PagedTable<ApiKeyInfo>
          read={async (_, signal) => {
            const keys = await client.apiKeys.list({ signal });
            return { items: keys.filter((key) => all || isValid(key, Date.now())) };
          }}
          dependencies={[client, all, action.round]}
          columns={['Name', 'Scopes', 'Tenants', 'Acts as', 'Expires', 'Action']}
          keyOf={({ id }) => id}
          row={(key) => <KeyRow apiKey={key} onRevoke={() => setRevoking(key)} />}
          empty={
            <Empty icon="key" title="No key is valid">
              <p>Make a new key above, or show the revoked and expired ones.</p>
            </Empty>
          }
        />
      </section>
      {revoking !== undefined && (
        <ConfirmDialog
          title={`Revoke the key “${revoking.name}”?`}
          label="Revoke for good"
          isReady
          work={async () => {
            await client.apiKeys.revoke(revoking.id);
            setCreated(undefined);
            void action.run(
              async () => `The key “${revoking.name}” is revoked, and its sessions have ended.`,
            );
          }}
          onClose={() => setRevoking(undefined)}
        >
          <p class="soft">
            The service refuses <code>{revoking.id}</code> at once, and ends the sessions and the viewer
            tokens that were made with it. This can’t be undone. A program that still uses the key needs a new
            one.
          </p>
        </ConfirmDialog>
      )}
    </div>
  );
}

/** A new key, with the name that the reader gave it. */
type MadeKey = CreatedApiKey & { readonly name: string };

/** A key that was just made. The focus goes there, because the reader has to copy it before anything else. */
function ShownOnce({ created, onCopied }: { readonly created: MadeKey; readonly onCopied: () => void }) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    box.current?.scrollIntoView({ block: 'nearest' });
    box.current?.focus();
  }, [created]);
  return (
    <div ref={box} tabIndex={-1} class="shown-once">
      <Notice tone="good" title={`The key “${created.name}” was made. Copy it now: it is shown only once.`}>
        <p>
          <Copyable text={created.key} label="the key" />
        </p>
        <p>
          <button type="button" class="button" onClick={onCopied}>
            I have copied it
          </button>
        </p>
      </Notice>
    </div>
  );
}

function isValid({ revoked_at, expires_at }: ApiKeyInfo, now: number): boolean {
  return revoked_at === undefined && (expires_at === undefined || Date.parse(expires_at) > now);
}

function KeyRow({ apiKey, onRevoke }: { readonly apiKey: ApiKeyInfo; readonly onRevoke: () => void }) {
  const { id, name, scopes, tenants, subject, created_at, expires_at, revoked_at } = apiKey;
  return (
    <>
      <td class="long">
        <bdi>{name}</bdi>
        <div class="faint">
          <code>{id}</code>
        </div>
        <div class="faint">
          made <Ago value={created_at} />
        </div>
      </td>
      <td class="long">{scopes.join(', ')}</td>
      <td class="long">{tenants === undefined ? <span class="faint">all</span> : tenants.join(', ')}</td>
      <td class="long">{subject ?? <span class="faint">itself</span>}</td>
      <td>
        {revoked_at !== undefined ? (
          <Badge tone="bad">revoked</Badge>
        ) : expires_at === undefined ? (
          <span class="faint">never</span>
        ) : (
          <Ago value={expires_at} />
        )}
      </td>
      <td>
        {isValid(apiKey, Date.now()) && (
          <button type="button" class="button" aria-label={`Revoke the key ${name}`} onClick={onRevoke}>
            Revoke …
          </button>
        )}
      </td>
    </>
  );
}
