import type { Stats, StatsGrouping } from '@tallystick/protocol';
import { usePlace } from '../address/place.ts';
import { Empty } from '../elements/notices/empty.tsx';
import { Failure } from '../elements/notices/failure.tsx';
import { FailureGroup } from '../elements/notices/failure-group.tsx';
import { LoadingRows } from '../elements/notices/loading-rows.tsx';
import { useResource } from '../elements/requests/resource.ts';
import { useConsole } from '../session/console-context.ts';
import { ForTenant } from '../shell/tenant.tsx';
import { RecentTimelines } from '../timeline/recent-timelines.tsx';
import { lastRanges } from '../trail/event-query.ts';
import { Attention } from './attention.tsx';
import { ChainPanel } from './chain-panel.tsx';
import { HourChart } from './hour-chart.tsx';
import './overview.css';

/** Ranges that the page offers. Longer ones would have more hours than a chart can show. */
const ranges = ['24h', '7d'] as const;

/** How many timelines the page shows: enough to see that there are some, and what they are about. */
const timelinesShown = 5;

/** What happened lately, who did it, and what needs attention. */
export function OverviewPage() {
  return <ForTenant page={(tenant) => <OverviewOf tenant={tenant} />} />;
}

function OverviewOf({ tenant }: { readonly tenant: string }) {
  const { client } = useConsole();
  const place = usePlace();
  const last: (typeof ranges)[number] =
    ranges.find((range) => range === place.parameters.get('last')) ?? '24h';
  const { value, error, reload } = useResource(
    async (signal) => {
      const until = Date.now();
      const from = new Date(until - lastRanges[last]!.ms).toISOString();
      const stats = await client.stats.getAll(
        {
          tenant_id: tenant,
          filters: { from } as never,
          by: ['hour,outcome_status', 'event_type', 'actor', 'target_type', 'source_service'],
          limit: 200,
        },
        { signal },
      );
      return { stats, from: Date.parse(from), until, last };
    },
    [client, tenant, last],
  );
  return (
    <FailureGroup>
      <div class="stack overview">
        <Attention tenant={tenant} />
        <ChainPanel tenant={tenant} />
        <RecentTimelines tenant={tenant} most={timelinesShown}>
          <a class="button" href={place.href('timeline')}>
            All timelines
          </a>
        </RecentTimelines>
        {error === undefined ? (
          <Counts counts={value?.last === last ? value : undefined} last={last} />
        ) : (
          <Failure error={error} retry={reload} />
        )}
      </div>
    </FailureGroup>
  );
}

/** What was counted, and the time for which. */
interface CountsOfRange {
  readonly stats: Stats;
  readonly from: number;
  readonly until: number;
}

/** The counts of the chosen time. Without them: their place, while they are read. */
function Counts({
  counts,
  last,
}: {
  readonly counts: CountsOfRange | undefined;
  readonly last: (typeof ranges)[number];
}) {
  const stats = counts?.stats;
  const [, types, actors, targets, services] = stats?.groupings ?? [];
  return (
    <>
      <section class="panel">
        <header class="counts-header">
          <h2>
            {stats === undefined
              ? 'Events '
              : `${stats.records.toLocaleString()} ${stats.records === 1 ? 'event' : 'events'} `}
            <span class="faint">by hour and outcome</span>
          </h2>
          {stats?.complete === false && <span class="badge warn">the newest are not counted yet</span>}
          {stats?.estimate === true && <span class="badge">whole hours</span>}
          {stats?.sensitive_left_out === true && <span class="badge">without sensitive events</span>}
          <Ranges last={last} />
        </header>
        {counts === undefined && (
          <div class="counts-placeholder">
            <LoadingRows label="Counting events" />
          </div>
        )}
        {counts !== undefined && <Hours {...counts} />}
      </section>
      {stats !== undefined && stats.records > 0 && (
        <div class="tops">
          <Top title="Event types" field="event_type" grouping={types} last={last} />
          <Top title="Actors" field="actor" grouping={actors} last={last} />
          <Top title="Targets" field="target_type" grouping={targets} last={last} />
          <Top title="Services" field="source_service" grouping={services} last={last} />
        </div>
      )}
    </>
  );
}

function Ranges({ last }: { readonly last: string }) {
  const place = usePlace();
  return (
    <nav class="ranges" aria-label="Time range">
      {ranges.map((range) => (
        <a
          class="button"
          key={range}
          href={place.hrefWith({ last: range })}
          aria-current={range === last ? 'true' : undefined}
        >
          {lastRanges[range]!.label}
        </a>
      ))}
    </nav>
  );
}

function Hours({ stats, from, until }: CountsOfRange) {
  const place = usePlace();
  const hours = stats.groupings[0];
  if (stats.records > 0)
    return <div class="body">{hours && <HourChart grouping={hours} from={from} until={until} />}</div>;
  return (
    <Empty icon="activity" title="Nothing was recorded in this time">
      <p>Look further back, or at all events.</p>
      <p>
        <a class="button" href={place.href('events')}>
          All events
        </a>
      </p>
    </Empty>
  );
}

/** How many values a list shows. */
const shown = 8;

/** The values of a field with the most events. Each leads to its events. */
function Top({
  title,
  field,
  grouping,
  last,
}: {
  readonly title: string;
  readonly field: string;
  readonly grouping: StatsGrouping | undefined;
  readonly last: string;
}) {
  const place = usePlace();
  const groups = (grouping?.groups ?? []).filter(({ values }) => values[field] !== null).slice(0, shown);
  const most = groups[0]?.records ?? 1;
  return (
    <section class="panel">
      <header>
        <h2>{title}</h2>
      </header>
      <ol class="body top">
        {groups.map(({ values, records }) => (
          <li key={values[field]}>
            <a href={place.href('events', { [field]: values[field]!, last })}>{values[field]}</a>
            <span class="number">{records.toLocaleString()}</span>
            <span class="bar" style={{ width: `${(100 * records) / most}%` }} />
          </li>
        ))}
        {groups.length === 0 && <li class="faint">None</li>}
      </ol>
    </section>
  );
}
