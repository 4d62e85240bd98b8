-- additive
-- Sessions of people who are signed in to the console. A session's secret is in a cookie. The table has an HMAC of the secret and of the row
-- with a key from the signer's directory: neither a leaked table nor a login of the database can make a usable session. Every replica reads the table at each request, so a session that ended on one of them has ended on all.
create table audit_console_sessions (
  id          text        primary key,
  mac         bytea       not null,
  -- The API key that signed in. The session has the rights that the key has at the moment, and ends with the key.
  key_id      text,
  -- The login that signed in: its id, subject, scopes, tenants and groups, as the provider's token had them.
  login       text,
  created_at  timestamptz not null,
  used_at     timestamptz not null,
  expires_at  timestamptz not null,
  check ((key_id is null) <> (login is null))
);
create index audit_console_sessions_expiry on audit_console_sessions (expires_at);
grant select, insert, update, delete on audit_console_sessions to tally_writer;
