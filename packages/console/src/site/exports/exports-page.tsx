import type { ExportFormatName, Stats } from '@tallystick/protocol';
import { usePlace } from '../address/place.ts';
import { Failure } from '../elements/notices/failure.tsx';
import { type Resource, useResource } from '../elements/requests/resource.ts';
import { Icon } from '../elements/signs/icon.tsx';
import { countText } from '../events/filters/facet-counts.ts';
import { FilterBar } from '../events/filters/filter-bar.tsx';
import { TimeRangeMenu } from '../events/filters/time-range-menu.tsx';
import { useConsole } from '../session/console-context.ts';
import { may } from '../session/session.ts';
import { ForTenant } from '../shell/tenant.tsx';
import { eventQueryOf, listKeyOf } from '../trail/event-query.ts';
import { bundleAddress, exportAddress } from './export-address.ts';
import '../events/events.css';
import './exports.css';

const formats: readonly { readonly name: ExportFormatName; readonly title: string; readonly text: string }[] =
  [
    {
      name: 'csv',
      title: 'CSV',
      text: 'For spreadsheets. A text that a spreadsheet would read as a formula begins with an apostrophe.',
    },
    {
      name: 'jsonl',
      title: 'JSON lines',
      text: 'For programs. One event per line, complete and unchanged.',
    },
  ];

/** Downloads of events with filters, and of a chain with its proofs. */
export function ExportsPage() {
  return <ForTenant page={(tenant) => <ExportsOf key={tenant} tenant={tenant} />} />;
}

function ExportsOf({ tenant }: { readonly tenant: string }) {
  const { client, session } = useConsole();
  const { parameters } = usePlace();
  const count = useResource(
    async (signal) => await client.stats.get(eventQueryOf(tenant, parameters, Date.now()), { signal }),
    [client, listKeyOf(tenant, parameters)],
  );
  return (
    <div class="stack exports">
      <div class="events-tools">
        <FilterBar opensEvents={false} />
        <div class="list-tools">
          <TimeRangeMenu />
        </div>
      </div>
      {count.error !== undefined && <Failure error={count.error} retry={count.reload} />}
      <section class="panel">
        <header>
          <h2>Events</h2>
          <Count count={count} />
        </header>
        <ul class="body downloads">
          {formats.map(({ name, title, text }) => (
            <li key={name}>
              <div>
                <strong>{title}</strong>
                <p class="soft">{text}</p>
              </div>
              <a
                class="button main"
                href={exportAddress(tenant, parameters, name, Date.now())}
                download={`${tenant}-events.${name}`}
              >
                <Icon name="download" />
                Download {title}
              </a>
            </li>
          ))}
        </ul>
        <p class="body faint">
          The oldest event is the first line. Events that arrive during the download are not in the file.
          Sensitive events need the scope <code class="one-line">events:read-sensitive</code>. A record in the
          chain says who exported what. For a large export use <code class="one-line">tally export</code>: it
          continues after the connection breaks.
        </p>
      </section>
      {may(session, 'log:read') && (
        <section class="panel">
          <header>
            <h2>Evidence</h2>
          </header>
          <ul class="body downloads">
            <li>
              <div>
                <strong>The whole chain of {tenant}</strong>
                <p class="soft">
                  All records with their proofs; filters do not apply. Anyone can verify the file without this
                  service: <code>tally verify {tenant}.tally</code>
                </p>
              </div>
              <a class="button" href={bundleAddress(tenant)} download={`${tenant}.tally`}>
                <Icon name="download" />
                Download the bundle
              </a>
            </li>
          </ul>
        </section>
      )}
    </div>
  );
}

/** How many events the export has. */
function Count({ count: { value, error } }: { readonly count: Resource<Stats> }) {
  if (error !== undefined) return <span class="faint">not counted</span>;
  if (value === undefined) return <span class="faint">Counting …</span>;
  const exactness = value.complete ? (value.estimate === true ? 'about' : 'exact') : 'at_least';
  return (
    <span class="soft number">
      {countText(value.records, exactness)} {value.records === 1 ? 'event' : 'events'}
    </span>
  );
}
