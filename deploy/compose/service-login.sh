#!/bin/sh
# Run once by the image of PostgreSQL, when it makes the database: the service's own login, which owns nothing.
set -eu
psql --no-psqlrc --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
  --set password="$TALLYSTICK_DB_PASSWORD" <<'SQL'
create role tally_service login password :'password';
SQL
