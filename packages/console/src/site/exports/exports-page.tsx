import type { ExportFormatName } from '@tallystick/protocol';
import { usePlace } from '../address/place.ts';
import { Failure } from '../elements/notices/failure.tsx';
import { useResource } from '../elements/requests/resource.ts';
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
      text: 'For spreadsheets. A text that would be a formula begins with an apostrophe.',
    },
    {
      name: 'jsonl',
      title: 'JSON lines',
      text: 'For programs. One event per line, with every member as it is.',
    },
  ];

/** Downloads of events with filters, and of a chain with its proofs. */
export function ExportsPage() {
  return <ForTenant page={(tenant) => <ExportsOf key={tenant} tenant={tenant} />} />;
}

function ExportsOf({ tenant }: { readonly tenant: string }) {
  const { session } = useConsole();
  const { parameters } = usePlace();
  return (
    <div class="stack exports">
      <div class="events-tools">
        <FilterBar opensEvents={false} />
        <div class="list-tools">
          <TimeRangeMenu />
        </div>
      </div>
      <section class="panel">
        <header>
          <h2>Events, to read</h2>
          <Count tenant={tenant} />
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
          The oldest event is the first line, and the newest one at the start of the download is the last.
          Sensitive events need the scope events:read-sensitive. Each export is a record of the chain, with
          who exported what. For a large one take <code>tally export</code>, which goes on after a broken
          connection.
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
                  All records with their proofs, without filters. Everyone can verify them without this
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
function Count({ tenant }: { readonly tenant: string }) {
  const { client } = useConsole();
  const { parameters } = usePlace();
  const { value, error } = useResource(
    async (signal) => await client.stats.get(eventQueryOf(tenant, parameters, Date.now()), { signal }),
    [client, listKeyOf(tenant, parameters)],
  );
  if (error !== undefined) return <Failure error={error} />;
  if (value === undefined) return <span class="faint">counting …</span>;
  const exactness = value.complete ? (value.estimate === true ? 'about' : 'exact') : 'at_least';
  return (
    <span class="soft number">
      {countText(value.records, exactness)} {value.records === 1 ? 'event' : 'events'}
    </span>
  );
}
