#!/bin/sh
# The PostgreSQL image runs this script once, when it creates the database. It creates the service's login, which owns nothing.
set -eu
psql --no-psqlrc --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
  --set password="$TALLYSTICK_DB_PASSWORD" <<'SQL'
create role tally_service login password :'password';
SQL
