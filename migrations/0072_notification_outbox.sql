-- Messages about alarms: what is to be sent, what went out, what was given up.
CREATE TABLE notifications (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    -- Absent where a rule names an address.
    channel_id uuid,
    medium jsonb NOT NULL,
    notice jsonb NOT NULL,
    -- 'pending', 'delivered' or 'failed'
    status text NOT NULL,
    attempts bigint NOT NULL,
    -- When the next attempt may begin; absent where there is none.
    due_at timestamptz,
    recipients bigint,
    reason text,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    version bigint NOT NULL,
    position bigint NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX notifications_by_time ON notifications (organization_id, created_at DESC, id DESC);
CREATE INDEX notifications_delivered ON notifications (organization_id, channel_id, updated_at) WHERE status = 'delivered';
CREATE INDEX notifications_due ON notifications (due_at, id) WHERE due_at IS NOT NULL;
