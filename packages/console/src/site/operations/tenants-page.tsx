import type { TenantInfo } from '@tallystick/protocol';
import { usePlace } from '../address/place.ts';
import { Empty } from '../elements/notices/empty.tsx';
import { Badge } from '../elements/signs/badge.tsx';
import { Ago } from '../elements/signs/time.tsx';
import { PagedTable } from '../elements/tables/paged-table.tsx';
import { useConsole } from '../session/console-context.ts';
import { may } from '../session/session.ts';
import { verdicts } from '../trail/verdicts.ts';
import './operations.css';

/** The tenants that the reader may read, with the state of their chains. */
export function TenantsPage() {
  const { client } = useConsole();
  return (
    <section class="panel" aria-label="Tenants">
      <PagedTable<TenantInfo>
        read={async (cursor, signal) => {
          const { tenants, next_cursor } = await client.tenants.list({ limit: 100, cursor }, { signal });
          return { items: tenants, cursor: next_cursor };
        }}
        dependencies={[client]}
        columns={[
          'Tenant',
          'Records',
          'Not signed yet',
          'Last signed',
          'Checked by the service',
          'Last record',
          'Epoch',
        ]}
        numbers={[1, 2, 6]}
        keyOf={({ tenant_id }) => tenant_id}
        row={(tenant) => <TenantRow tenant={tenant} />}
        empty={
          <Empty icon="people" title="No tenant has a chain yet">
            <p>A tenant appears with its first event.</p>
          </Empty>
        }
      />
    </section>
  );
}

function TenantRow({ tenant }: { readonly tenant: TenantInfo }) {
  const place = usePlace();
  const { tenant_id, size, signed_size, signed_at, last_verification, last_ingested_at, epoch } = tenant;
  const unsigned = size - (signed_size ?? 0);
  return (
    <>
      <td>
        <a href={place.href('events', { tenant: tenant_id })}>{tenant_id}</a>
      </td>
      <td class="number">{size.toLocaleString()}</td>
      <td class="number">
        {signed_size === null ? <Badge tone="warn">never signed</Badge> : unsigned.toLocaleString()}
      </td>
      <td>{signed_at === null ? <span class="faint">never</span> : <Ago value={signed_at} />}</td>
      <td>
        <LastVerification tenant={tenant_id} last={last_verification} />
      </td>
      <td>
        <Ago value={last_ingested_at} />
      </td>
      <td class="number">{epoch}</td>
    </>
  );
}

/** The last check of the whole chain. It leads to the page that lists all checks, where the reader may see that. */
function LastVerification({
  tenant,
  last,
}: {
  readonly tenant: string;
  readonly last: TenantInfo['last_verification'];
}) {
  const { session } = useConsole();
  const place = usePlace();
  const state =
    last === null ? (
      <span class="faint">never</span>
    ) : (
      <>
        <Badge tone={verdicts[last.verdict].tone}>{verdicts[last.verdict].word}</Badge>{' '}
        <Ago value={last.checked_at} />
      </>
    );
  if (!may(session, 'log:read')) return state;
  return (
    <a class="checks-link" href={place.href('verification', { tenant })}>
      <span class="only-for-screen-readers">Checks of {tenant}: </span>
      {state}
    </a>
  );
}
