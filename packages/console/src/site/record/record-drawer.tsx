import type { EventView } from '@tallystick/protocol';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { usePlace } from '../address/place.ts';
import { useShortcuts } from '../elements/browser/keyboard.ts';
import { Failure } from '../elements/notices/failure.tsx';
import { LoadingRows } from '../elements/notices/loading-rows.tsx';
import { Notice } from '../elements/notices/notice.tsx';
import { useResource } from '../elements/requests/resource.ts';
import { Badge, toneOfOutcome, toneOfSeverity } from '../elements/signs/badge.tsx';
import { Icon } from '../elements/signs/icon.tsx';
import { TimeWithUtc } from '../elements/signs/time.tsx';
import { VerifiedHere } from '../proof/verified-here.tsx';
import { useConsole } from '../session/console-context.ts';
import { may } from '../session/session.ts';
import { hasDirections } from '../trail/directions.ts';
import { textOf } from '../trail/event-text.ts';
import { ChangesSection } from './changes-section.tsx';
import { EventDetails } from './event-details.tsx';
import { RawRecord } from './raw-record.tsx';
import { ReceiptButton } from './receipt-button.tsx';
import { RelatedEvents } from './related-events.tsx';
import './record.css';

/** One record beside the list: what happened, whether it is intact, what belongs to it. */
export function RecordDrawer({ tenant, auditId }: { readonly tenant: string; readonly auditId: string }) {
  const { client } = useConsole();
  const place = usePlace();
  const drawer = useRef<HTMLElement>(null);
  const { value, error, reload } = useResource(
    (signal) => client.events.get(auditId, { tenant_id: tenant, include: 'record' }, { signal }),
    [client, tenant, auditId],
  );
  const close = place.hrefWith({ event: undefined });
  useShortcuts(useMemo(() => ({ Escape: () => place.go(close) }), [close]));
  // The reader who opened the drawer reads on in it; closing gives the focus back to the page.
  useEffect(() => {
    const before = document.activeElement;
    drawer.current?.focus({ preventScroll: true });
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
    };
  }, []);
  return (
    <aside class="drawer" aria-label="Event" ref={drawer} tabIndex={-1}>
      <div class="drawer-bar">
        <span class="faint">
          {value?.sequence_number === undefined ? '' : `Record ${String(value.sequence_number)}`}
        </span>
        <a class="button square plain" href={close} aria-label="Close the event">
          <Icon name="close" />
        </a>
      </div>
      {error !== undefined && <Failure error={error} retry={reload} />}
      {value === undefined && error === undefined && <LoadingRows label="Loading the event" />}
      {value !== undefined && <Record event={value} />}
    </aside>
  );
}

function Record({ event }: { readonly event: EventView }) {
  const { session } = useConsole();
  const canProve = may(session, 'log:read') && typeof event.record === 'string';
  return (
    <div class="record">
      <Heading event={event} />
      {event.redacted === true && (
        <Notice title="This record is sensitive">
          <p>
            Your key may see that it exists and not what it says. That needs the scope events:read-sensitive.
          </p>
        </Notice>
      )}
      {event.claimed === true && (
        <Notice tone="warn" title="Claimed, not stated by the service">
          <p>A client sent this event under a type that the service reserves for its own findings.</p>
        </Notice>
      )}
      {event.damaged === true && (
        <Notice tone="bad" title="The bytes of this record are no record">
          <p>
            They were changed in the database. Run a verification of the chain, and restore from a backup.
          </p>
        </Notice>
      )}
      {typeof event.record === 'string' && hasDirections(event.record) && (
        <Notice tone="warn" title="Texts of this record may not read as they are written">
          <p>
            They contain characters that change the direction of writing. The raw record below shows where.
          </p>
        </Notice>
      )}
      {canProve && <VerifiedHere event={event} />}
      <EventDetails event={event}>
        <ChangesSection event={event} />
      </EventDetails>
      <RelatedEvents event={event} />
      <RawRecord event={event} />
      {may(session, 'log:read') && <ReceiptButton event={event} />}
    </div>
  );
}

function Heading({ event }: { readonly event: EventView }) {
  const outcome = textOf(event, 'outcome_status');
  const severity = textOf(event, 'severity');
  return (
    <header class="record-heading">
      <h2>{textOf(event, 'event_type') ?? 'Record'}</h2>
      <p class="soft">
        <TimeWithUtc value={event.timestamp ?? event.ingested_at} />
      </p>
      <p class="badges">
        {outcome !== undefined && <Badge tone={toneOfOutcome(outcome)}>{outcome.replaceAll('_', ' ')}</Badge>}
        {severity !== undefined && severity !== 'info' && (
          <Badge tone={toneOfSeverity(severity)}>{severity}</Badge>
        )}
        {event.is_sensitive === true && <Badge tone="warn">sensitive</Badge>}
      </p>
    </header>
  );
}
