import type { Client } from '@tallystick/client';
import { usePlace } from '../address/place.ts';
import { Failure } from '../elements/failure.tsx';
import { Icon, type IconName } from '../elements/icon.tsx';
import { useResource } from '../elements/resource.ts';
import { useConsole } from '../session/console-context.ts';

/** One thing to look after. */
interface Matter {
  readonly title: string;
  readonly page: string;
  readonly icon: IconName;
  /** With `+` where there may be more. */
  readonly count: string;
  readonly isUrgent: boolean;
  readonly text: string;
}

/** How many items of a list are counted. */
const counted = 100;

/** What needs attention in a tenant. Each matter leads to its page. */
export function Attention({ tenant }: { readonly tenant: string }) {
  const { client } = useConsole();
  const place = usePlace();
  const { value, error, reload } = useResource(
    (signal) => mattersOf(client, tenant, signal),
    [client, tenant],
  );
  if (error !== undefined) return <Failure error={error} retry={reload} />;
  return (
    <ul class="matters" aria-label="What needs attention">
      {(value ?? []).map(({ title, page, icon, count, isUrgent, text }) => (
        <li key={page}>
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

async function mattersOf(client: Client, tenant: string, signal: AbortSignal): Promise<readonly Matter[]> {
  const query = { tenant_id: tenant, limit: counted };
  const [approvals, producers, letters] = await Promise.all([
    client.approvals.list({ ...query, state: 'pending' }, { signal }),
    client.producers.list(query, { signal }),
    client.deadLetters.list(query, { signal }),
  ]);
  return [
    matter('Approvals wait', 'approvals', 'shield', approvals.approvals.length, {
      some: 'Agents wait for a decision.',
      none: 'No agent waits for a decision.',
    }),
    matter('Producers with gaps', 'producers', 'truck', producers.producers.length, {
      some: 'Events may be missing.',
      none: 'Every producer is accounted for.',
    }),
    matter('Dead letters', 'dead-letters', 'inbox', letters.dead_letters.length, {
      some: 'Refused events wait for a decision.',
      none: 'No event was refused.',
    }),
  ];
}

function matter(
  title: string,
  page: string,
  icon: IconName,
  count: number,
  { some, none }: { readonly some: string; readonly none: string },
): Matter {
  const text = count > 0 ? some : none;
  return {
    title,
    page,
    icon,
    count: count >= counted ? `${counted}+` : String(count),
    isUrgent: count > 0,
    text,
  };
}
