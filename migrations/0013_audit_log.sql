-- One row a domain event, in the order of the log.
CREATE TABLE audit_log (
    stream text NOT NULL,
    position bigint NOT NULL,
    index integer NOT NULL,
    event_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    actor text NOT NULL,
    entity_type text NOT NULL,
    entity_id uuid NOT NULL,
    version bigint NOT NULL,
    event_type text NOT NULL,
    recorded_at timestamptz NOT NULL,
    command_id uuid NOT NULL,
    correlation_id uuid NOT NULL,
    causation_id uuid,
    -- Top-level names in the payload.
    changed text[] NOT NULL,
    payload jsonb NOT NULL,
    PRIMARY KEY (stream, position, index)
);
CREATE INDEX audit_log_by_entity ON audit_log (entity_id, version);
CREATE INDEX audit_log_by_time ON audit_log (organization_id, recorded_at DESC);
CREATE INDEX audit_log_by_actor ON audit_log (actor, recorded_at DESC);
