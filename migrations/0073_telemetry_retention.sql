-- How many days each organisation's telemetry is kept, and before which day it was removed row by row.
CREATE TABLE telemetry_retention (
    organization_id uuid PRIMARY KEY,
    kept_days integer NOT NULL,
    removed_before date
);
CREATE INDEX telemetry_entity_by_organization ON telemetry_entity (organization_id);
CREATE INDEX telemetry_hour_by_time ON telemetry_hour USING brin (hour);

-- The days (UTC) that have partitions, before a day.
CREATE FUNCTION telemetry_days_before(day date) RETURNS SETOF date LANGUAGE sql STABLE AS $$
    SELECT made FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid,
        LATERAL to_date(right(c.relname, 8), 'YYYYMMDD') AS made
    WHERE i.inhparent = 'telemetry_reading'::regclass AND made < day
    ORDER BY made
$$;

-- Removes whole days before a day, aggregates included; answers how many days.
CREATE OR REPLACE FUNCTION telemetry_drop_days_before(day date) RETURNS integer LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    made date;
    dropped integer := 0;
BEGIN
    FOR made IN SELECT * FROM telemetry_days_before(day) LOOP
        EXECUTE format('DROP TABLE %I', 'telemetry_reading_' || to_char(made, 'YYYYMMDD'));
        dropped := dropped + 1;
    END LOOP;
    DELETE FROM telemetry_late WHERE measured_at < day::timestamp AT TIME ZONE 'UTC';
    DELETE FROM telemetry_hour WHERE hour < day::timestamp AT TIME ZONE 'UTC';
    DELETE FROM telemetry_dirty_hour WHERE hour < day::timestamp AT TIME ZONE 'UTC';
    RETURN dropped;
END $$;
