/** The stores themselves, for tools that work on one without the service: verifiers, migrations, tests. */
export { type Access, type Database, type Queries, type Row, type Session, writer } from './database.ts';
export { migratePglite, migratePostgres } from './migrate.ts';
export { PgliteDatabase } from './pglite.ts';
export { PostgresDatabase, type PostgresOptions } from './postgres.ts';
