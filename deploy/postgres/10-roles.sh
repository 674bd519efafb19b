#!/bin/sh
# Run once, by the database's own first start: the groups that `argusiq migrate` gives rights to, and the
# logins. Where events are kept in PostgreSQL, argusiq_api becomes a member of argusiq_events too.
set -eu
psql --quiet --no-psqlrc --set=ON_ERROR_STOP=1 --set=api="$ARGUSIQ_POSTGRES_API_PASSWORD" \
  --set=project="$ARGUSIQ_POSTGRES_PROJECT_PASSWORD" --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" <<'SQL'
CREATE ROLE argusiq_read NOLOGIN;
CREATE ROLE argusiq_write NOLOGIN;
CREATE ROLE argusiq_events NOLOGIN;
CREATE ROLE argusiq_api LOGIN PASSWORD :'api' IN ROLE argusiq_read;
CREATE ROLE argusiq_project LOGIN PASSWORD :'project' IN ROLE argusiq_write;
SQL
