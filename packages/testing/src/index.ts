export { type Clock, ManualClock } from './clock.ts';
export type { Database } from './database.ts';
export { freePort } from './free-port.ts';
export { type Postgres, type PostgresOptions, startPostgres } from './postgres.ts';
export { type SharedPostgres, sharedPostgres } from './shared-postgres.ts';
export { type TempDir, tempDir } from './temp-dir.ts';
export { type UntilOptions, until } from './until.ts';
