/**
 * The settings that the statements of the service rely on. An operator may have set others for the server, the database or
 * the login: another format of dates would come back as another time, another search path would find other tables, and a
 * short time-out for statements would cancel a COPY that makes progress.
 *
 * `default_transaction_read_only` is not here. Operators and providers set it when a disk is nearly full or a failover is
 * planned: the service then answers 503, and writes again when it is off.
 */
const settings: { readonly [name: string]: string } = {
  search_path: 'public, pg_temp',
  timezone: 'UTC',
  datestyle: 'ISO, YMD',
  intervalstyle: 'postgres',
  bytea_output: 'hex',
  extra_float_digits: '1',
  standard_conforming_strings: 'on',
  quote_all_identifiers: 'off',
  transform_null_equals: 'off',
  array_nulls: 'on',
  row_security: 'on',
  // The service has time-outs of its own, which know whether the server makes progress.
  statement_timeout: '0',
  transaction_timeout: '0',
  idle_session_timeout: '0',
  // They make the server, too, notice a client that is gone without a message, and release its locks: after 15 seconds of
  // unacknowledged data, or three unanswered probes of a silent connection. They do nothing for a socket file.
  tcp_user_timeout: '15000',
  tcp_keepalives_idle: '5',
  tcp_keepalives_interval: '5',
  tcp_keepalives_count: '3',
};

const rows = Object.entries(settings)
  .map(([name, value]) => `('${name}', '${value}')`)
  .join(', ');

/**
 * A script that prepares a new connection; the last of its results has the row. Settings that the server does not know are left out: `transaction_timeout` came with
 * PostgreSQL 17. A commit must be on disk before it is acknowledged, so `synchronous_commit` may be stricter than `on`, but
 * not off. Returns the process id of the session: the one that the protocol reports is a pooler's own if there is a pooler.
 */
export const sessionSettingsSql = `
  set statement_timeout = 0;
  with wanted (name, value) as (
    values ${rows}, ('synchronous_commit',
      case current_setting('synchronous_commit') when 'off' then 'on' else current_setting('synchronous_commit') end)
  )
  select pg_backend_pid() as pid, count(set_config(s.name, wanted.value, false)) as settings
    from wanted join pg_settings s on lower(s.name) = wanted.name`;
