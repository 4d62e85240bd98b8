import pg from 'pg';
import { ServerError } from '../errors.ts';

/** How often the sessions are compared. A pooler that is under load may give the first comparisons different sessions. */
const rounds = 4;

/**
 * Refuses a pooler that gives one session of the server to several clients in turn, such as PgBouncer with
 * `pool_mode = transaction`. Session settings, prepared statements and the process id by which a stuck session is found
 * would belong to another client then. A pooler that keeps a session for one client until it disconnects is accepted.
 *
 * Two clients ask for the process ids of their sessions. With a session for each, the ids differ and never change.
 *
 * @throws {ServerError} `STORE_UNSUITABLE`
 */
export async function refuseSharedSessions(url: string, connectMs: number): Promise<void> {
  const options = {
    connectionString: url,
    application_name: 'tallystick',
    connectionTimeoutMillis: connectMs,
    query_timeout: connectMs,
  };
  const [first, second] = [new pg.Client(options), new pg.Client(options)];
  for (const client of [first, second]) client.on('error', () => undefined);
  try {
    await first.connect();
    await second.connect();
    for (let round = 0; round < rounds; round++) {
      if (await shareSession(first, second)) throw sharedSessions();
    }
  } catch (error) {
    // The answer of PgBouncer in its statement mode to BEGIN.
    if (error instanceof Error && error.message.includes('pooling mode')) throw sharedSessions();
    throw error;
  } finally {
    await Promise.allSettled([first.end(), second.end()]);
  }
}

async function shareSession(first: pg.Client, second: pg.Client): Promise<boolean> {
  const own = await sessionOf(first);
  // The transaction holds a session, so that the first client would have to get another one.
  await second.query('begin');
  const other = await sessionOf(second);
  const changed = other === own || (await sessionOf(first)) !== own;
  await second.query('rollback');
  return changed;
}

async function sessionOf(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  return rows[0]!.pid;
}

function sharedSessions(): ServerError {
  return new ServerError(
    'STORE_UNSUITABLE',
    'a connection pooler shares the sessions of PostgreSQL between clients (for PgBouncer, pool_mode = transaction or ' +
      'statement), and the service needs sessions of its own: connect to PostgreSQL directly, or set pool_mode = session',
  );
}
