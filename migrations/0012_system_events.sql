CREATE TABLE system_events (
    id uuid PRIMARY KEY,
    organization_id uuid,
    event_type text NOT NULL,
    entity_type text,
    entity_id uuid,
    severity text NOT NULL,
    occurred_at timestamptz NOT NULL,
    payload jsonb NOT NULL
);
CREATE INDEX system_events_by_time ON system_events (organization_id, occurred_at DESC, id DESC);
CREATE INDEX system_events_by_type ON system_events (organization_id, event_type, occurred_at DESC);
CREATE INDEX system_events_by_entity ON system_events (entity_id, occurred_at DESC);
