import type { ProducerAccount, ProducerState } from '@tallystick/protocol';
import { usePlace } from '../address/place.ts';
import { Badge, type Tone } from '../elements/badge.tsx';
import { Empty } from '../elements/empty.tsx';
import { PagedTable } from '../elements/paged-table.tsx';
import { Ago } from '../elements/time.tsx';
import { useConsole } from '../session/console-context.ts';
import { ForTenant } from '../shell/tenant.tsx';

const states: { readonly [state in ProducerState]: { readonly tone: Tone; readonly text: string } } = {
  open: { tone: 'bad', text: 'has gaps' },
  unclosed: { tone: 'warn', text: 'fell silent' },
  running: { tone: 'quiet', text: 'running' },
  closed: { tone: 'good', text: 'complete' },
};

/** What each producer sent by its own count, and what is missing. */
export function ProducersPage() {
  return <ForTenant page={(tenant) => <ProducersOf tenant={tenant} />} />;
}

function ProducersOf({ tenant }: { readonly tenant: string }) {
  const { client } = useConsole();
  const place = usePlace();
  const all = place.parameters.get('all') === '1';
  return (
    <div class="stack">
      <p class="soft">
        Every producer numbers its events, so a missing number is noticed. A producer that fell silent may
        have held more events in memory.
      </p>
      <label class="check">
        <input
          type="checkbox"
          checked={all}
          onChange={(event) => place.change({ all: event.currentTarget.checked ? '1' : undefined })}
        />
        Also producers that run, or that are complete
      </label>
      <section class="panel" aria-label="Producers">
        <PagedTable<ProducerAccount>
          read={async (cursor, signal) => {
            const query = { tenant_id: tenant, limit: 100, cursor, ...(all && { all }) };
            const { producers, next_cursor } = await client.producers.list(query, { signal });
            return { items: producers, cursor: next_cursor };
          }}
          dependencies={[client, tenant, all]}
          columns={['Service', 'State', 'Missing numbers', 'Last number', 'Last seen', 'Producer']}
          numbers={[3]}
          keyOf={({ submitter, producer_id }) => `${submitter} ${producer_id}`}
          row={(producer) => <ProducerRow producer={producer} />}
          empty={
            <Empty icon="check" title={all ? 'No producer has sent anything yet' : 'Nothing is missing'}>
              <p>
                {all
                  ? 'A producer appears with its first event.'
                  : 'Every number that a producer has used is accounted for.'}
              </p>
            </Empty>
          }
        />
      </section>
    </div>
  );
}

function ProducerRow({ producer }: { readonly producer: ProducerAccount }) {
  const { service, state, open, open_numbers, numbers, last_seen_at, producer_id, ephemeral } = producer;
  const { tone, text } = states[state];
  const ranges = open.map(([first, last]) => (first === last ? `${first}` : `${first}–${last}`));
  return (
    <>
      <td>{service ?? <span class="faint">not named</span>}</td>
      <td>
        <Badge tone={ephemeral && state === 'unclosed' ? 'quiet' : tone}>{text}</Badge>
      </td>
      <td class="long">
        {open_numbers === 0 ? <span class="faint">none</span> : ranges.slice(0, 8).join(', ')}
        {ranges.length > 8 && <span class="faint"> and more, {open_numbers.toLocaleString()} in all</span>}
      </td>
      <td class="number">{numbers.toLocaleString()}</td>
      <td>
        <Ago value={last_seen_at} />
      </td>
      <td>
        <code>{producer_id}</code>
      </td>
    </>
  );
}
