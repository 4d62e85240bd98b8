import type { ApiKeyInfo, CreatedApiKey } from '@tallystick/protocol';
import { useState } from 'preact/hooks';
import { usePlace } from '../address/place.ts';
import { useAction } from '../elements/action.ts';
import { Badge } from '../elements/badge.tsx';
import { ConfirmButton } from '../elements/confirm-button.tsx';
import { Copyable } from '../elements/copyable.tsx';
import { Failure } from '../elements/failure.tsx';
import { Notice } from '../elements/notice.tsx';
import { PagedTable } from '../elements/paged-table.tsx';
import { Ago, Time } from '../elements/time.tsx';
import { useConsole } from '../session/console-context.ts';
import { NewKeyForm } from './new-key-form.tsx';

/** API keys: who has which rights, new ones, and their end. For operators. */
export function KeysPage() {
  const { client } = useConsole();
  const place = usePlace();
  const action = useAction();
  // Only here, and only until the reader leaves the page: the service can't show the key again.
  const [created, setCreated] = useState<CreatedApiKey>();
  const all = place.parameters.get('all') === '1';
  return (
    <div class="stack">
      {created !== undefined && (
        <Notice tone="good" title="The key is made. Copy it now: it is shown only once.">
          <p>
            <Copyable text={created.key} label="the key" />
          </p>
          <p>
            <button type="button" class="button" onClick={() => setCreated(undefined)}>
              I have copied it
            </button>
          </p>
        </Notice>
      )}
      {action.done !== undefined && <Notice title={action.done} />}
      {action.error !== undefined && <Failure error={action.error} />}
      <NewKeyForm
        create={async (key) => {
          await action.run(async () => {
            setCreated(await client.apiKeys.create(key));
            return `The key “${key.name}” can be used now.`;
          });
        }}
      />
      <label class="check">
        <input
          type="checkbox"
          checked={all}
          onChange={(event) => place.change({ all: event.currentTarget.checked ? '1' : undefined })}
        />
        Also keys that were revoked or have expired
      </label>
      <section class="panel" aria-label="API keys">
        <PagedTable<ApiKeyInfo>
          read={async (_, signal) => {
            const keys = await client.apiKeys.list({ signal });
            return { items: keys.filter((key) => all || isValid(key, Date.now())) };
          }}
          dependencies={[client, all, action.round]}
          columns={['Name', 'Id', 'May', 'Tenants', 'Stands for', 'Made', 'Ends', 'Action']}
          keyOf={({ id }) => id}
          row={(key) => (
            <KeyRow
              apiKey={key}
              onRevoke={() =>
                action.run(async () => {
                  await client.apiKeys.revoke(key.id);
                  return `The key “${key.name}” is revoked, and its sessions have ended.`;
                })
              }
            />
          )}
          empty={null}
        />
      </section>
    </div>
  );
}

function isValid({ revoked_at, expires_at }: ApiKeyInfo, now: number): boolean {
  return revoked_at === undefined && (expires_at === undefined || Date.parse(expires_at) > now);
}

function KeyRow({
  apiKey,
  onRevoke,
}: {
  readonly apiKey: ApiKeyInfo;
  readonly onRevoke: () => Promise<void>;
}) {
  const { id, name, scopes, tenants, subject, created_at, expires_at, revoked_at } = apiKey;
  return (
    <>
      <td class="long">{name}</td>
      <td>
        <code>{id}</code>
      </td>
      <td class="long">{scopes.join(', ')}</td>
      <td class="long">{tenants === undefined ? <span class="faint">all</span> : tenants.join(', ')}</td>
      <td class="long">{subject ?? <span class="faint">itself</span>}</td>
      <td>
        <Time value={created_at} />
      </td>
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
          <ConfirmButton label={`Revoke the key ${name}`} question="Revoke for good" action={onRevoke}>
            Revoke
          </ConfirmButton>
        )}
      </td>
    </>
  );
}
