-- additive
-- Tokens with which a browser reads a part of one tenant's trail. The table has an HMAC of the token's secret and of the row, with a key from
-- the signer's directory: neither a leaked table nor a login of the database can make a token, or widen one. Every replica reads the row at
-- each request, so a token that was revoked on one of them is refused by all, and so is a token whose API key was revoked.
create table audit_viewer_tokens (
  id              text        primary key,
  mac             bytea       not null,
  -- The API key that made the token, and with which it ends.
  key_id          text        not null,
  tenant_id       text        not null,
  -- JSON of the filters that bind the token.
  filters         text        not null,
  include_records boolean     not null,
  include_ingest  boolean     not null,
  created_at      timestamptz not null,
  expires_at      timestamptz not null
);
create index audit_viewer_tokens_expiry on audit_viewer_tokens (expires_at);
create index audit_viewer_tokens_key on audit_viewer_tokens (key_id, expires_at);
create index audit_viewer_tokens_tenant on audit_viewer_tokens (tenant_id, created_at, id);
grant select, insert, delete on audit_viewer_tokens to tally_writer;
