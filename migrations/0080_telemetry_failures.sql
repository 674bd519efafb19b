-- Hours of entities that a step of upkeep could not process because of what is stored there. Until the next attempt
-- they are left out, so that the data of other entities is still processed.
CREATE TABLE telemetry_failure (
    entity integer NOT NULL,
    hour timestamptz NOT NULL,
    -- `recompute` (the hourly aggregates) or `merge_late` (late readings into segments).
    step text NOT NULL,
    reason text NOT NULL,
    failed_at timestamptz NOT NULL,
    PRIMARY KEY (entity, hour, step)
);
