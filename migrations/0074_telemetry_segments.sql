-- Readings of hours that are over, compacted: a row for each entity, hour, metric set and sources. Every number of a
-- segment stands in one array, metric after metric, compressed as a whole.
CREATE TABLE telemetry_segment (
    entity integer NOT NULL,
    -- The hour (UTC) that all of it was measured in.
    hour timestamptz NOT NULL,
    metric_set integer NOT NULL,
    -- Assets only: keys of the devices the values come from.
    sources integer[],
    -- How many readings.
    count integer NOT NULL,
    -- The times are starts_at + offsets * unit microseconds, ascending.
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    unit bigint NOT NULL,
    offsets integer[] NOT NULL,
    -- The numbers of the metric of slot s are numbers[(s - 1) * count + 1 : s * count], in the order of the times.
    numbers double precision[] NOT NULL,
    -- Values that are no numbers, and qualities that are not good: by the reading's place (from 0), then by key.
    others jsonb,
    flaws jsonb
) PARTITION BY RANGE (hour);
CREATE INDEX telemetry_segment_by_entity ON telemetry_segment (entity, hour);
-- A server built without lz4 compresses in its own way.
DO $$ BEGIN
    ALTER TABLE telemetry_segment ALTER offsets SET COMPRESSION lz4, ALTER numbers SET COMPRESSION lz4,
        ALTER others SET COMPRESSION lz4, ALTER flaws SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
    RAISE NOTICE 'this PostgreSQL has no lz4: segments take more processor time';
END $$;

-- Makes the partition of segments of a day (UTC) where there is none.
CREATE FUNCTION telemetry_add_segment_day(day date) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    partition text := 'telemetry_segment_' || to_char(day, 'YYYYMMDD');
BEGIN
    IF to_regclass(partition) IS NOT NULL THEN
        RETURN;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE telemetry_segment INCLUDING ALL)', partition);
    EXECUTE format('ALTER TABLE telemetry_segment ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', partition,
        day::timestamp AT TIME ZONE 'UTC', (day + 1)::timestamp AT TIME ZONE 'UTC');
END $$;

-- Makes the partition of readings of an hour (UTC) where there is none, and answers its name. Earlier versions made one
-- for a day: while it is there it has the day's hours.
CREATE FUNCTION telemetry_add_hour(for_hour timestamptz) RETURNS text LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    stamp text := to_char(for_hour AT TIME ZONE 'UTC', 'YYYYMMDDHH24');
    whole_day text := 'telemetry_reading_' || left(stamp, 8);
    partition text := 'telemetry_reading_' || stamp;
BEGIN
    IF to_regclass(whole_day) IS NOT NULL THEN
        RETURN whole_day;
    END IF;
    IF to_regclass(partition) IS NULL THEN
        EXECUTE format('CREATE TABLE %I (LIKE telemetry_reading INCLUDING ALL)', partition);
        EXECUTE format('ALTER TABLE telemetry_reading ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', partition,
            for_hour, for_hour + interval '1 hour');
    END IF;
    RETURN partition;
END $$;

-- The partitions of readings with their spans of time.
CREATE FUNCTION telemetry_spans() RETURNS TABLE (name text, from_time timestamptz, until_time timestamptz)
LANGUAGE sql STABLE AS $$
    SELECT c.relname::text, span.begin_at AT TIME ZONE 'UTC', (span.begin_at + span.length) AT TIME ZONE 'UTC'
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid,
        LATERAL (SELECT substr(c.relname, 19) AS stamp) AS named,
        LATERAL (SELECT to_date(left(stamp, 8), 'YYYYMMDD')
                + make_interval(hours => coalesce(nullif(substr(stamp, 9), ''), '0')::integer) AS begin_at,
            CASE length(stamp) WHEN 8 THEN interval '1 day' ELSE interval '1 hour' END AS length) AS span
    WHERE i.inhparent = 'telemetry_reading'::regclass
$$;

-- Removes a partition of readings, when they stand in segments.
CREATE FUNCTION telemetry_drop_span(partition text) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM telemetry_spans() AS s WHERE s.name = partition) THEN
        RAISE EXCEPTION 'this is no partition of readings: %', partition;
    END IF;
    EXECUTE format('DROP TABLE %I', partition);
END $$;

-- The days (UTC) that have partitions, before a day.
CREATE OR REPLACE FUNCTION telemetry_days_before(day date) RETURNS SETOF date LANGUAGE sql STABLE AS $$
    SELECT to_date(right(c.relname, 8), 'YYYYMMDD') AS made
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'telemetry_segment'::regclass AND to_date(right(c.relname, 8), 'YYYYMMDD') < day
    UNION
    SELECT (s.from_time AT TIME ZONE 'UTC')::date FROM telemetry_spans() AS s
    WHERE s.until_time <= day::timestamp AT TIME ZONE 'UTC'
    ORDER BY made
$$;

-- Removes whole days before a day, aggregates included; answers how many days.
CREATE OR REPLACE FUNCTION telemetry_drop_days_before(day date) RETURNS integer LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    made date;
    span text;
    dropped integer := 0;
BEGIN
    FOR made IN SELECT * FROM telemetry_days_before(day) LOOP
        EXECUTE format('DROP TABLE IF EXISTS %I', 'telemetry_segment_' || to_char(made, 'YYYYMMDD'));
        dropped := dropped + 1;
    END LOOP;
    FOR span IN SELECT s.name FROM telemetry_spans() AS s WHERE s.until_time <= day::timestamp AT TIME ZONE 'UTC' LOOP
        EXECUTE format('DROP TABLE %I', span);
    END LOOP;
    DELETE FROM telemetry_late WHERE measured_at < day::timestamp AT TIME ZONE 'UTC';
    DELETE FROM telemetry_hour WHERE hour < day::timestamp AT TIME ZONE 'UTC';
    DELETE FROM telemetry_dirty_hour WHERE hour < day::timestamp AT TIME ZONE 'UTC';
    RETURN dropped;
END $$;

REVOKE EXECUTE ON FUNCTION telemetry_add_segment_day(date), telemetry_add_hour(timestamptz), telemetry_drop_span(text)
    FROM PUBLIC;

-- Every number of one entity in a span of time (from included, until excluded), with its place in the order of arrival:
-- 0 in segments, which only what came later can beat. A query of it is planned as if it stood there itself.
CREATE FUNCTION telemetry_values(for_entity integer, from_time timestamptz, until_time timestamptz)
RETURNS TABLE (measured_at timestamptz, metric_key text, value double precision, sources integer[], "position" bigint)
LANGUAGE sql STABLE AS $$
    SELECT r.measured_at, s.metric_key, r.numbers[s.slot], r.sources, r.position
    FROM telemetry_row r JOIN metric_slot s ON s.metric_set = r.metric_set
    WHERE r.entity = for_entity AND r.measured_at >= from_time AND r.measured_at < until_time
    UNION ALL
    SELECT t.at, s.metric_key, u.value, g.sources, 0
    FROM telemetry_segment g JOIN metric_slot s ON s.metric_set = g.metric_set,
        unnest(g.offsets, g.numbers[(s.slot - 1) * g.count + 1 : s.slot * g.count]) AS u (tick, value),
        LATERAL (SELECT g.starts_at + (u.tick * g.unit) * interval '1 microsecond' AS at) AS t
    WHERE g.entity = for_entity AND g.hour > from_time - interval '1 hour' AND g.hour < until_time
      AND t.at >= from_time AND t.at < until_time
$$;

-- The numbers of one entity and metric in a span of time, what came last winning.
CREATE OR REPLACE FUNCTION telemetry_range(for_entity uuid, for_key text, from_time timestamptz, until_time timestamptz)
RETURNS TABLE ("timestamp" timestamptz, value double precision) LANGUAGE sql STABLE AS $$
    SELECT DISTINCT ON (v.measured_at) v.measured_at, v.value
    FROM telemetry_entity e, telemetry_values(e.key, from_time, until_time) AS v
    WHERE e.entity_id = for_entity AND v.metric_key = for_key
    ORDER BY v.measured_at, v.position DESC
$$;

-- Every value of every kind with its quality (none where it is good) and its place in the order of arrival, values that
-- were sent again included. For comparing: a condition on the time does not narrow what is read of segments.
CREATE VIEW telemetry_point AS
    SELECT r.entity, r.measured_at, s.metric_key, r.numbers[s.slot] AS number, NULL::jsonb AS other,
        r.flaws ->> s.metric_key AS quality, r.position
    FROM telemetry_row r JOIN metric_slot s ON s.metric_set = r.metric_set
    UNION ALL
    SELECT r.entity, r.measured_at, o.key, NULL, o.value, r.flaws ->> o.key, r.position
    FROM telemetry_row r, jsonb_each(r.others) AS o
    UNION ALL
    SELECT g.entity, g.starts_at + (u.tick * g.unit) * interval '1 microsecond', s.metric_key, u.value, NULL,
        g.flaws -> (u.index - 1)::text ->> s.metric_key, 0
    FROM telemetry_segment g JOIN metric_slot s ON s.metric_set = g.metric_set,
        unnest(g.offsets, g.numbers[(s.slot - 1) * g.count + 1 : s.slot * g.count])
            WITH ORDINALITY AS u (tick, value, index)
    UNION ALL
    SELECT g.entity, g.starts_at + (g.offsets[r.place::integer + 1] * g.unit) * interval '1 microsecond', o.key, NULL,
        o.value, g.flaws -> r.place ->> o.key, 0
    FROM telemetry_segment g, jsonb_each(g.others) AS r (place, reading), jsonb_each(r.reading) AS o;

-- One row a value, for SQL readers. A value that came twice, or late, or was sent again with another content, is there
-- once: the last to arrive.
CREATE OR REPLACE VIEW telemetry_history AS
    SELECT e.entity_id, e.entity_type, p.metric_key, p.number AS value, p.measured_at AS "timestamp"
    FROM telemetry_point p JOIN telemetry_entity e ON e.key = p.entity
    WHERE p.number IS NOT NULL
      AND NOT EXISTS (
        SELECT FROM telemetry_late l
        WHERE l.entity = p.entity AND l.measured_at = p.measured_at AND l.position > p.position
          AND (l.others ? p.metric_key OR EXISTS (
            SELECT FROM metric_slot t WHERE t.metric_set = l.metric_set AND t.metric_key = p.metric_key)))
      AND (e.entity_type = 'Device' OR NOT EXISTS (
        SELECT FROM telemetry_reading l
        WHERE l.entity = p.entity AND l.measured_at = p.measured_at AND l.position > p.position
          AND (l.others ? p.metric_key OR EXISTS (
            SELECT FROM metric_slot t WHERE t.metric_set = l.metric_set AND t.metric_key = p.metric_key))));
