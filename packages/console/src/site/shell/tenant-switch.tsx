import { usePlace } from '../address/place.ts';
import { useTenants } from './tenant.tsx';

/** Chooses the tenant whose trail the pages show. */
export function TenantSwitch() {
  const place = usePlace();
  const { tenants, current } = useTenants();
  if (current === undefined) return null;
  const options = tenants.includes(current) ? tenants : [current, ...tenants];
  if (options.length === 1) return <span class="only-tenant">{current}</span>;
  return (
    <label class="tenant-switch">
      <span class="only-for-screen-readers">Tenant</span>
      <select
        class="input"
        value={current}
        // Filters, cursors and an open record belong to the tenant for which they were chosen.
        onChange={(event) => place.go(place.href(place.page, { tenant: event.currentTarget.value }))}
      >
        {options.map((tenant) => (
          <option key={tenant} value={tenant}>
            {tenant}
          </option>
        ))}
      </select>
    </label>
  );
}
