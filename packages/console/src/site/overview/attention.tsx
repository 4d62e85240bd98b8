import { usePlace } from '../address/place.ts';
import { Failure } from '../elements/notices/failure.tsx';
import { useResource } from '../elements/requests/resource.ts';
import { Icon } from '../elements/signs/icon.tsx';
import { useConsole } from '../session/console-context.ts';
import { isOperator } from '../session/session.ts';
import { mattersOf } from './matters.ts';

/** As many as there are matters, so that the page does not jump when they arrive. */
const placeholders = [0, 1, 2, 3, 4, 5];

/** What needs attention in a tenant. Each matter leads to its page. */
export function Attention({ tenant }: { readonly tenant: string }) {
  const { client, session } = useConsole();
  const place = usePlace();
  const { value, error, reload } = useResource(
    (signal) => mattersOf(client, tenant, { followers: isOperator(session) }, signal),
    [client, session, tenant],
  );
  if (error !== undefined) return <Failure error={error} retry={reload} />;
  if (value === undefined) {
    return (
      <div class="matters" role="status" aria-label="Looking at what needs attention">
        {placeholders.map((at) => (
          <div key={at} class="panel matter-placeholder" />
        ))}
      </div>
    );
  }
  return (
    <ul class="matters" aria-label="What needs attention">
      {value.map(({ title, page, icon, count, isUrgent, text }) => (
        <li key={title}>
          <a class="panel matter" href={place.href(page)} data-urgent={isUrgent}>
            <Icon name={icon} />
            <span class="matter-count number">{count}</span>
            <strong>{title}</strong>
            <span class="soft">{text}</span>
          </a>
        </li>
      ))}
    </ul>
  );
}
