import { qualifiedName } from './sql-client.ts';

/** Where the tables of an outbox are. */
export interface OutboxLocation {
  /** The schema of the outbox's tables. @defaultValue the first schema of `search_path` */
  readonly schema?: string | undefined;
}

/** The tables of an outbox, quoted for SQL. */
export interface OutboxTables {
  readonly waiting: string;
  readonly deadLetters: string;
  readonly lease: string;
}

export function outboxTables({ schema }: OutboxLocation): OutboxTables {
  return {
    waiting: qualifiedName('tallystick_outbox', schema),
    deadLetters: qualifiedName('tallystick_outbox_dead_letters', schema),
    lease: qualifiedName('tallystick_outbox_lease', schema),
  };
}

/**
 * The SQL that creates the tables of an outbox. Run it with your own migrations; running it again changes nothing. It needs
 * PostgreSQL 13 or later.
 *
 * The application needs INSERT and SELECT (position) on `tallystick_outbox`. The relay needs SELECT, INSERT and DELETE on
 * `tallystick_outbox` and `tallystick_outbox_dead_letters`, and SELECT and UPDATE on `tallystick_outbox_lease`.
 */
export function outboxSchema(location: OutboxLocation = {}): string {
  const { waiting, deadLetters, lease } = outboxTables(location);
  // `event` is a text and not jsonb: jsonb changes numbers and the order of members, and the service compares what it receives.
  return `create table if not exists ${waiting} (
  position bigint generated always as identity primary key,
  created_at timestamptz not null default clock_timestamp(),
  audit_id uuid not null,
  tenant_id text not null,
  event_type text not null,
  event text not null
);
create table if not exists ${deadLetters} (
  position bigint primary key,
  created_at timestamptz not null,
  refused_at timestamptz not null default clock_timestamp(),
  audit_id uuid not null,
  tenant_id text not null,
  event_type text not null,
  event text not null,
  reason text not null
);
create table if not exists ${lease} (
  id boolean primary key default true check (id),
  holder uuid,
  expires_at timestamptz not null default '-infinity'
);
insert into ${lease} default values on conflict do nothing;
`;
}
