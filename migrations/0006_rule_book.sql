CREATE TABLE threshold_rules (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    name text NOT NULL,
    description text,
    entity_type text NOT NULL,
    -- Absent: every entity of the type.
    entity_id uuid,
    metric_key text NOT NULL,
    condition jsonb NOT NULL,
    severity text NOT NULL,
    action jsonb NOT NULL,
    is_active boolean NOT NULL,
    cooldown_seconds bigint NOT NULL,
    retired boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    updated_at timestamptz NOT NULL,
    version bigint NOT NULL,
    position bigint NOT NULL
);
CREATE INDEX threshold_rules_by_name ON threshold_rules (organization_id, name, id);
CREATE INDEX threshold_rules_by_entity ON threshold_rules (entity_type, entity_id);

CREATE TABLE activity_templates (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    name text NOT NULL,
    description text,
    activity_type_id uuid,
    trigger_event_type text NOT NULL,
    default_priority text NOT NULL,
    default_assigned_role text,
    default_due_hours bigint,
    checklist jsonb NOT NULL DEFAULT '[]',
    is_active boolean NOT NULL,
    retired boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    updated_at timestamptz NOT NULL,
    version bigint NOT NULL,
    position bigint NOT NULL
);
CREATE INDEX activity_templates_by_name ON activity_templates (organization_id, name, id);
