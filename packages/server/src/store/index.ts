/** The stores, for programs that use one without the service: verifiers, migrations, tests. */
export { type ConnectionFault, type ConnectionFaultKind, connectionFault } from './connection-fault.ts';
export {
  type Access,
  type CopyIn,
  type CopyResult,
  type Database,
  type Queries,
  type Row,
  type Session,
  type Statement,
  writer,
} from './database.ts';
export { migratePglite, migratePostgres } from './migrate.ts';
export { type OwnerAccess, ownerAccess } from './owner.ts';
export { PgliteDatabase } from './pglite/pglite.ts';
export { PostgresDatabase, type PostgresOptions } from './postgres.ts';
