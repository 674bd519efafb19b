#!/bin/sh
# Creates the group roles that `argusiq migrate` grants permissions to, and the login roles. The PostgreSQL image runs this
# once, when it creates the database. If events are stored in PostgreSQL, argusiq_api must also be a member of
# argusiq_events.
set -eu
psql --quiet --no-psqlrc --set=ON_ERROR_STOP=1 --set=api="$ARGUSIQ_POSTGRES_API_PASSWORD" \
  --set=project="$ARGUSIQ_POSTGRES_PROJECT_PASSWORD" --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" <<'SQL'
CREATE ROLE argusiq_read NOLOGIN;
CREATE ROLE argusiq_write NOLOGIN;
CREATE ROLE argusiq_events NOLOGIN;
CREATE ROLE argusiq_api LOGIN PASSWORD :'api' IN ROLE argusiq_read;
CREATE ROLE argusiq_project LOGIN PASSWORD :'project' IN ROLE argusiq_write;
SQL
