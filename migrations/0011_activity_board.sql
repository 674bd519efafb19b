CREATE TABLE activities (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    template_id uuid,
    name text NOT NULL,
    description text,
    target_type text NOT NULL,
    target_id uuid NOT NULL,
    priority text NOT NULL,
    status text NOT NULL CHECK (status IN ('pending', 'assigned', 'in_progress', 'done', 'cancelled')),
    assigned_role text,
    assigned_user_id uuid,
    due_at timestamptz,
    -- [{"item", "required", "done"}]
    checklist jsonb NOT NULL DEFAULT '[]',
    alarm_id uuid,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    started_at timestamptz,
    ended_at timestamptz,
    note text,
    cancelled_reason text,
    -- [{"author", "text", "at"}], oldest first
    comments jsonb NOT NULL DEFAULT '[]',
    updated_at timestamptz NOT NULL,
    version bigint NOT NULL,
    position bigint NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX activities_by_time ON activities (organization_id, created_at DESC, id DESC);
CREATE INDEX activities_by_target ON activities (target_id, created_at DESC);
CREATE INDEX activities_by_alarm ON activities (alarm_id) WHERE alarm_id IS NOT NULL;
