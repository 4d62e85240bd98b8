import type { ProducerAccount } from '@tallystick/protocol';
import { useState } from 'preact/hooks';
import { usePlace } from '../address/place.ts';
import { Empty } from '../elements/notices/empty.tsx';
import { Notice } from '../elements/notices/notice.tsx';
import { useAction } from '../elements/requests/action.ts';
import { Ago } from '../elements/signs/time.tsx';
import { PagedTable } from '../elements/tables/paged-table.tsx';
import { useConsole } from '../session/console-context.ts';
import { may } from '../session/session.ts';
import { ForTenant } from '../shell/tenant.tsx';
import { producersByState } from './producer-order.ts';
import { ProducerBadge, ProducerMeanings } from './producer-states.tsx';
import { SettleDialog } from './settle-dialog.tsx';
import './operations.css';

/** How many ranges of missing numbers a row shows. */
const shownRanges = 8;

/** What each producer sent by its own count, and what is missing. */
export function ProducersPage() {
  return <ForTenant page={(tenant) => <ProducersOf key={tenant} tenant={tenant} />} />;
}

function ProducersOf({ tenant }: { readonly tenant: string }) {
  const { client, session } = useConsole();
  const place = usePlace();
  const action = useAction();
  const [settling, setSettling] = useState<ProducerAccount>();
  const all = place.parameters.get('all') === '1';
  const maySettle = may(session, 'admin');
  return (
    <div class="stack">
      <p class="soft">
        Every producer numbers its events, so a missing number is noticed. The trail has a record of{' '}
        <a href={place.href('events', { event_type: ['delivery.gap', 'delivery.unclosed'] })}>
          each declared loss
        </a>
        .
      </p>
      <ProducerMeanings />
      {action.done !== undefined && <Notice title={action.done} />}
      <label class="check">
        <input
          type="checkbox"
          checked={all}
          onChange={(event) => place.change({ all: event.currentTarget.checked ? '1' : undefined })}
        />
        Show running and complete producers too
      </label>
      <section class="panel" aria-label="Producers">
        <PagedTable<ProducerAccount>
          read={(cursor, signal) => producersByState(client, { tenant, all }, cursor, signal)}
          dependencies={[client, tenant, all, action.round]}
          columns={[
            ...['Service', 'State', 'Missing numbers', 'Last number', 'Last seen', 'Producer'],
            ...(maySettle ? ['Action'] : []),
          ]}
          numbers={[3]}
          keyOf={({ submitter, producer_id }) => `${submitter} ${producer_id}`}
          row={(producer) => (
            <>
              <ProducerCells producer={producer} />
              {maySettle && (
                <td>
                  {(producer.state === 'open' || producer.state === 'unclosed') && (
                    <button
                      type="button"
                      class="button"
                      aria-label={`Close the account of ${producer.service ?? producer.producer_id}`}
                      onClick={() => setSettling(producer)}
                    >
                      Close …
                    </button>
                  )}
                </td>
              )}
            </>
          )}
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
      {settling !== undefined && (
        <SettleDialog
          tenant={tenant}
          producer={settling}
          onSettled={(outcome) => void action.run(async () => outcome)}
          onClose={() => setSettling(undefined)}
        />
      )}
    </div>
  );
}

function ProducerCells({ producer }: { readonly producer: ProducerAccount }) {
  const { service, state, open, open_numbers, numbers, last_seen_at, producer_id, ephemeral } = producer;
  const ranges = open.map(([first, last]) => (first === last ? `${first}` : `${first}–${last}`));
  return (
    <>
      <td class="long">
        {service === undefined || service === null ? (
          <span class="faint">not named</span>
        ) : (
          <bdi>{service}</bdi>
        )}
      </td>
      <td>
        <ProducerBadge state={state} ephemeral={ephemeral} />
      </td>
      <td class="long">
        {open_numbers === 0 ? (
          <span class="faint">none</span>
        ) : (
          <Ranges texts={ranges.slice(0, shownRanges)} />
        )}
        {ranges.length > shownRanges && (
          <span class="faint"> and more, {open_numbers.toLocaleString()} in all</span>
        )}
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

/** Numbers, each range of them in one line. */
function Ranges({ texts }: { readonly texts: readonly string[] }) {
  return texts.flatMap((text, at) => [
    at > 0 && ', ',
    <span key={text} class="one-line">
      {text}
    </span>,
  ]);
}
