/** A transactional outbox in PostgreSQL, and its relay. */

export {
  AuditedTable,
  type AuditedTableOptions,
  auditedTable,
  type RecordedChange,
  type RowChange,
  type RowEvent,
  type RowEventSource,
  type RowOperation,
  type RowOutbox,
} from './audited-table.ts';
export type { DeadLetterChoice, OutboxDeadLetter, OutboxDeadLetters } from './dead-letters.ts';
export {
  createPostgresOutbox,
  type OutboxRecord,
  PostgresOutbox,
  type PostgresOutboxOptions,
} from './outbox.ts';
export type { OutboxContents } from './outbox-store.ts';
export { createOutboxRelay, OutboxRelay } from './relay.ts';
export { type OutboxRelayOptions, outboxRelayDefaults } from './relay-options.ts';
export type { OutboxStatus, RelayCounts } from './relay-status.ts';
export { type OutboxLocation, outboxSchema } from './schema.ts';
export type { SqlClient } from './sql-client.ts';
export { type Condition, SqlText, sqlText } from './sql-text.ts';
export type { TableRow } from './table-rows.ts';
