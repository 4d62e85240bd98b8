import { useSignalEffect } from '@preact/signals';
import type { EventView } from '@tallystick/protocol';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { usePlace } from '../../address/place.ts';
import { useElementWidth } from '../../elements/browser/element-width.ts';
import { useShortcuts } from '../../elements/browser/keyboard.ts';
import { useMediaQuery } from '../../elements/browser/media-query.ts';
import { Failure } from '../../elements/notices/failure.tsx';
import { LoadingRows } from '../../elements/notices/loading-rows.tsx';
import { textOf } from '../../trail/event-text.ts';
import type { PageCheck, RecordState } from '../checks/page-check.ts';
import { RecordMark } from '../checks/record-mark.tsx';
import type { EventFeed } from '../feed/event-feed.ts';
import { type Column, chosenColumns, gridOf, phoneColumnsOf } from './columns.tsx';
import { NoEvents } from './no-events.tsx';
import { useVirtualRows } from './virtual-rows.ts';

/** As the design assumes: the page sets no size of its own for the text of the root. */
const pxPerRem = 16;
/** Row heights in px, as events.css has them. `line`: one more line of a row on a phone. */
const rowHeights = { wide: 40, narrow: 60, line: 20 };

/** The list of events. Only the rows in view are drawn, so a list of 100,000 scrolls like a short one. */
export function EventList({ feed, check }: { readonly feed: EventFeed; readonly check: PageCheck }) {
  const place = usePlace();
  const frame = useRef<HTMLDivElement>(null);
  const isNarrow = useMediaQuery('(max-width: 45rem)');
  const [position, showPosition] = useState(-1);
  // Keys may come faster than the list is drawn, so they read where the reader is from here.
  const latest = useRef(-1);
  const setPosition = (index: number) => {
    latest.current = index;
    showPosition(index);
  };
  const count = feed.count;
  const end = feed.end.value;
  const openId = place.parameters.get('event');
  const phone = phoneColumnsOf(place.parameters);
  const width = useElementWidth(frame, count > 0);
  const columns = isNarrow ? phone.columns : chosenColumns(place.parameters, width / pxPerRem);
  const rowHeight = isNarrow ? rowHeights.narrow + phone.moreLines * rowHeights.line : rowHeights.wide;
  const { rows, totalHeight, show } = useVirtualRows(frame, { count, rowHeight });
  const open = (event: EventView | undefined) => {
    if (event !== undefined) place.change({ event: String(event.audit_id) }, { replace: openId !== null });
  };

  const [firstRow, lastRow] = [rows[0]?.index ?? 0, rows.at(-1)?.index ?? -1];
  useEffect(() => feed.show(firstRow, lastRow), [feed, end, firstRow, lastRow, count]);
  // New events join the list at once while the reader looks at its top. Further down they would move what is being read.
  useSignalEffect(() => {
    if (feed.waiting > 0 && (frame.current?.scrollTop ?? 0) < 8) void feed.showWaiting();
  });

  const move = (step: number) => {
    const from = latest.current < 0 && openId !== null ? feed.indexOf(openId) : latest.current;
    const next = Math.min(Math.max(from + step, 0), feed.count - 1);
    if (next < 0) return;
    setPosition(next);
    show(next);
    // Enter means this row from now on, and not the link or button that has the focus, such as the one of the menu that led here.
    if (openId === null && document.activeElement instanceof HTMLElement) document.activeElement.blur();
    if (openId !== null) open(feed.at(next));
  };
  useShortcuts(
    useMemo(
      () => ({
        j: () => move(1),
        k: () => move(-1),
        ArrowDown: () => move(1),
        ArrowUp: () => move(-1),
        Enter: () => open(feed.at(latest.current)),
      }),
      [feed, count, openId],
    ),
  );

  if (count === 0 && (end === 'loading' || end === 'more'))
    return <LoadingRows label="Loading events" rows={12} />;
  if (count === 0 && feed.error.value !== undefined)
    return <Failure error={feed.error.value} retry={() => feed.retry()} />;
  if (count === 0) return <NoEvents />;
  const { template, minWidth } = gridOf(columns);
  return (
    <div
      class="event-list"
      role="table"
      aria-label="Events, the newest first"
      aria-rowcount={end === 'end' ? count + 1 : -1}
    >
      <div class="event-list-frame" ref={frame}>
        <div
          class="event-head"
          role="row"
          aria-rowindex={1}
          style={{ gridTemplateColumns: template, minWidth }}
        >
          {columns.map(({ name, title }) => (
            <span role="columnheader" key={name}>
              {title}
            </span>
          ))}
        </div>
        <div class="event-rows" role="rowgroup" style={{ height: `${totalHeight}px`, minWidth }}>
          {rows.map(({ index, top }) => {
            const event = feed.at(index);
            const style = {
              transform: `translateY(${top}px)`,
              ...(isNarrow ? { height: `${rowHeight}px` } : { gridTemplateColumns: template }),
            };
            if (event === undefined)
              return <MissingRow key={`missing-${index}`} style={style} rowIndex={index + 2} />;
            return (
              <EventRow
                key={String(event.audit_id)}
                event={event}
                columns={columns}
                style={style}
                state={check.verdict.value?.states.get(String(event.audit_id))}
                rowIndex={index + 2}
                isOpen={event.audit_id === openId}
                isCurrent={index === position}
                href={place.hrefWith({ event: String(event.audit_id) })}
                onOpen={() => {
                  setPosition(index);
                  open(event);
                }}
              />
            );
          })}
        </div>
        <ListEnd feed={feed} />
      </div>
      <NewEvents feed={feed} onShow={() => frame.current?.scrollTo({ top: 0 })} />
    </div>
  );
}

/** An event that was read before and is read again. */
function MissingRow({
  style,
  rowIndex,
}: {
  readonly style: { readonly [property: string]: string };
  readonly rowIndex: number;
}) {
  return (
    <div class="event-row-missing" role="row" aria-rowindex={rowIndex} style={style}>
      <span role="cell" class="placeholder">
        <span class="only-for-screen-readers">Loading the event</span>
      </span>
    </div>
  );
}

function EventRow({
  event,
  columns,
  style,
  state,
  rowIndex,
  isOpen,
  isCurrent,
  href,
  onOpen,
}: {
  readonly event: EventView;
  readonly columns: readonly Column[];
  readonly style: { readonly [property: string]: string };
  readonly state: RecordState | undefined;
  readonly rowIndex: number;
  readonly isOpen: boolean;
  readonly isCurrent: boolean;
  readonly href: string;
  readonly onOpen: () => void;
}) {
  const marked = columns.some(({ name }) => name === 'event_type') ? 'event_type' : columns[0]?.name;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the row's link and the keys j, k and Enter do the same
    <div
      class="event-row"
      role="row"
      aria-rowindex={rowIndex}
      data-open={isOpen}
      data-current={isCurrent}
      data-severity={textOf(event, 'severity')}
      style={style}
      onClick={(click) => {
        // The link of the row opens a tab with Ctrl or the middle button, as links do.
        if (!click.defaultPrevented && !(click.target as Element).closest('a')) onOpen();
      }}
    >
      {columns.map(({ name, title, cell }) => (
        <span role="cell" key={name} data-column={name} data-title={title}>
          {name === 'event_type' ? (
            <a href={href} aria-current={isOpen ? 'true' : undefined}>
              {state !== undefined && <RecordMark state={state} />}
              {cell(event)}
            </a>
          ) : (
            <>
              {state !== undefined && name === marked && <RecordMark state={state} />}
              {cell(event)}
            </>
          )}
        </span>
      ))}
    </div>
  );
}

function ListEnd({ feed }: { readonly feed: EventFeed }) {
  const end = feed.end.value;
  if (end === 'failed') return <Failure error={feed.error.value} retry={() => void feed.loadMore()} />;
  if (end === 'loading') return <p class="list-end">Loading older events …</p>;
  if (end === 'more' && !feed.isSearched.value)
    return (
      <p class="list-end">
        The search has reached its limit for one request.{' '}
        <button type="button" class="button" onClick={() => void feed.loadMore()}>
          Search further back
        </button>
      </p>
    );
  return end === 'end' ? <p class="list-end">This is the oldest event that matches.</p> : null;
}

/** New events of live mode that wait because the reader is further down in the list, and why live mode ended. */
function NewEvents({ feed, onShow }: { readonly feed: EventFeed; readonly onShow: () => void }) {
  const count = feed.waiting;
  const { leftOut } = feed;
  // The end of the list shows why a page failed.
  const failure = feed.end.value === 'failed' ? undefined : feed.error.value;
  if (count === 0 && leftOut === 0 && failure === undefined) return null;
  return (
    <div class="new-events" role="status">
      {failure !== undefined && <Failure error={failure} retry={() => feed.retry()} />}
      {count > 0 && (
        <button
          type="button"
          class="button main"
          onClick={() => {
            void feed.showWaiting();
            onShow();
          }}
        >
          Show {count.toLocaleString()} new {count === 1 ? 'event' : 'events'}
        </button>
      )}
      {leftOut > 0 && (
        <span class="badge warn">
          {leftOut.toLocaleString()} new events came too fast to list; scroll down to load them
        </span>
      )}
    </div>
  );
}
