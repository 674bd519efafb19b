CREATE TABLE alarms (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    rule_id uuid NOT NULL,
    rule_name text NOT NULL,
    entity_type text NOT NULL,
    entity_id uuid NOT NULL,
    metric_key text NOT NULL,
    condition jsonb NOT NULL,
    severity text NOT NULL,
    value double precision NOT NULL,
    episode bigint NOT NULL,
    started_at timestamptz NOT NULL,
    raised_at timestamptz NOT NULL,
    active boolean NOT NULL DEFAULT true,
    returned_at timestamptz,
    returned_value double precision,
    acknowledged boolean NOT NULL DEFAULT false,
    acknowledged_at timestamptz,
    acknowledged_by text,
    acknowledged_comment text,
    recorded_at timestamptz NOT NULL,
    version bigint NOT NULL,
    position bigint NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX alarms_by_time ON alarms (organization_id, raised_at DESC, id DESC);
CREATE INDEX alarms_by_entity ON alarms (entity_id, raised_at DESC);
CREATE INDEX alarms_open ON alarms (organization_id, raised_at DESC) WHERE active OR NOT acknowledged;
