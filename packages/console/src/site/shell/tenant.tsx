import { type ComponentChildren, createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { usePlace } from '../address/place.ts';
import { Empty } from '../elements/notices/empty.tsx';
import { Failure } from '../elements/notices/failure.tsx';
import { type Resource, useResource } from '../elements/requests/resource.ts';
import { useConsole } from '../session/console-context.ts';
import { may } from '../session/session.ts';

/** How many tenants the switch offers. The page of tenants lists all of them. */
const offered = 200;

const Tenants = createContext<Resource<readonly string[]> | undefined>(undefined);

/** Reads once which tenants the reader can choose from. */
export function TenantsProvider({ children }: { readonly children: ComponentChildren }) {
  const { session, client } = useConsole();
  const tenants = useResource(
    async (signal) => {
      if (session.tenants !== undefined || !may(session, 'events:read')) return session.tenants ?? [];
      const page = await client.tenants.list({ limit: offered }, { signal });
      return page.tenants.map(({ tenant_id }) => tenant_id);
    },
    [client],
  );
  return <Tenants.Provider value={tenants}>{children}</Tenants.Provider>;
}

/** The tenants to choose from, and the one that the page shows: that of the address, or the first. */
export function useTenants(): {
  readonly tenants: readonly string[];
  readonly current: string | undefined;
  readonly resource: Resource<readonly string[]>;
} {
  const resource = useContext(Tenants);
  if (resource === undefined) throw new Error('there is no TenantsProvider around this component');
  const named = usePlace().parameters.get('tenant') ?? undefined;
  const { value: tenants = [] } = resource;
  return { tenants, current: named ?? tenants[0], resource };
}

/** Shows a page for the current tenant, or why there is none. */
export function ForTenant({ page }: { readonly page: (tenant: string) => ComponentChildren }) {
  const { session } = useConsole();
  const { current, resource } = useTenants();
  if (current !== undefined) return <>{page(current)}</>;
  if (resource.error !== undefined) return <Failure error={resource.error} retry={resource.reload} />;
  if (resource.isLoading) return null;
  // Without the list, the page can't know which tenants there are: that nothing was recorded would be a guess.
  if (!may(session, 'events:read')) return <NameTenant />;
  return (
    <Empty icon="inbox" title="No events have been recorded yet">
      <p>The first event of a tenant starts its chain. Record one from a terminal:</p>
      <pre>
        <code>tally emit --tenant acme --type content.publish --actor jane --target post:17</code>
      </pre>
      <p>
        <button type="button" class="button" onClick={resource.reload}>
          Refresh
        </button>
      </p>
    </Empty>
  );
}

/** Asks a reader for the tenant who may not list the tenants. */
function NameTenant() {
  const place = usePlace();
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const tenant = new FormData(event.currentTarget as HTMLFormElement).get('tenant');
    place.change({ tenant: String(tenant).trim() });
  };
  return (
    <Empty icon="people" title="Which tenant?">
      <p>Your key is valid for every tenant, but may not list them. Enter the name of the tenant.</p>
      <form class="choices-bar" onSubmit={submit}>
        <label class="field">
          Tenant
          <input class="input" name="tenant" required maxLength={128} autocomplete="off" spellcheck={false} />
        </label>
        <button type="submit" class="button main">
          Show
        </button>
      </form>
    </Empty>
  );
}
