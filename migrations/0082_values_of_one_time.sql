-- A number that a value of another kind (text, boolean) of the same time and metric has replaced counts no more. So
-- both functions see such values too: without a number, for the caller to leave out once the last to arrive is known.
CREATE OR REPLACE FUNCTION telemetry_values(for_entity integer, from_time timestamptz, until_time timestamptz)
RETURNS TABLE (measured_at timestamptz, metric_key text, value double precision, sources integer[], "position" bigint)
LANGUAGE sql STABLE AS $$
    SELECT r.measured_at, s.metric_key, r.numbers[s.slot], r.sources, r.position
    FROM telemetry_row r JOIN metric_slot s ON s.metric_set = r.metric_set
    WHERE r.entity = for_entity AND r.measured_at >= from_time AND r.measured_at < until_time
    UNION ALL
    SELECT r.measured_at, o.key, NULL::double precision, r.sources, r.position
    FROM telemetry_row r, jsonb_object_keys(r.others) AS o (key)
    WHERE r.entity = for_entity AND r.measured_at >= from_time AND r.measured_at < until_time
    UNION ALL
    SELECT t.at, s.metric_key, u.value, g.sources, 0
    FROM telemetry_segment g JOIN metric_slot s ON s.metric_set = g.metric_set,
        unnest(g.offsets, g.numbers[(s.slot - 1) * g.count + 1 : s.slot * g.count]) AS u (tick, value),
        LATERAL (SELECT g.starts_at + (u.tick * g.unit) * interval '1 microsecond' AS at) AS t
    WHERE g.entity = for_entity AND g.hour > from_time - interval '1 hour' AND g.hour < until_time
      AND t.at >= from_time AND t.at < until_time
$$;

CREATE OR REPLACE FUNCTION telemetry_range(for_entity uuid, for_key text, from_time timestamptz, until_time timestamptz)
RETURNS TABLE ("timestamp" timestamptz, value double precision) LANGUAGE sql STABLE AS $$
    SELECT l.measured_at, l.value FROM (
        SELECT DISTINCT ON (v.measured_at) v.measured_at, v.value
        FROM telemetry_entity e, telemetry_values(e.key, from_time, until_time) AS v
        WHERE e.entity_id = for_entity AND v.metric_key = for_key
        ORDER BY v.measured_at, v.position DESC) AS l
    WHERE l.value IS NOT NULL
$$;
