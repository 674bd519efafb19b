//! SQL that selects the numbers of one entity in a time range, from rows and segments alike.

/// Merged values: for one time and metric, the last to arrive; none if that is not a number. `$1` entity, `$2` from, `$3`
/// until. Callers add conditions to both `WHERE`.
pub const MERGED: &str = "SELECT v.measured_at, v.metric_key, v.value, v.sources
    FROM (SELECT DISTINCT ON (v.measured_at, v.metric_key) v.measured_at, v.metric_key, v.value, v.sources
        FROM telemetry_values($1, $2, $3) v
        WHERE true
        ORDER BY v.measured_at, v.metric_key, v.position DESC) v
    WHERE v.value IS NOT NULL";

/// The same for ranges without late readings or several sources; needs no sort.
pub const PLAIN: &str = "SELECT v.measured_at, v.metric_key, v.value, v.sources
    FROM telemetry_values($1, $2, $3) v
    WHERE v.value IS NOT NULL";

/// Returns whether a range needs `MERGED`: `$1` entity, `$2` from, `$3` until.
pub const NEEDS_MERGE: &str = "SELECT EXISTS (SELECT FROM telemetry_late l
        WHERE l.entity = $1 AND l.measured_at >= $2 AND l.measured_at < $3)
    OR EXISTS (SELECT FROM telemetry_entity e WHERE e.key = $1 AND e.entity_type = 'Asset')";

/// Aggregates the values of either query: count, minimum, maximum, and the two parts of a `FiniteSum`. PostgreSQL
/// refuses to add numbers whose sum is not a float, so huge ones are added in units of 2^64.
pub const AGGREGATES: &str = "count(*), min(value), max(value), sum(value) FILTER (WHERE abs(value) < 2::float8 ^ 960),
    sum(value / 2::float8 ^ 64) FILTER (WHERE abs(value) >= 2::float8 ^ 960)";

/// Aggregates the distinct source devices of the values of either query; null for the values of devices.
pub const SOURCES: &str = "(SELECT array_agg(DISTINCT d ORDER BY d) FROM unnest(string_to_array(string_agg(
    array_to_string(sources, ','), ','), ',')::integer[]) d)";
