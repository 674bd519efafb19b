-- Rules for all of a type.
ALTER TABLE threshold_rules ADD COLUMN type_id uuid;

-- Alarms that come back, that nobody is to hear of, that somebody cares for, that are closed.
ALTER TABLE alarms
    ADD COLUMN repeats bigint NOT NULL DEFAULT 0,
    -- 'shelved' or 'out_of_service'
    ADD COLUMN suppression text,
    ADD COLUMN shelved_until timestamptz,
    ADD COLUMN assignee_id uuid,
    -- [{"author", "text", "at"}], oldest first
    ADD COLUMN comments jsonb NOT NULL DEFAULT '[]',
    -- 'dismissed' or 'superseded'
    ADD COLUMN closed text,
    ADD COLUMN closed_at timestamptz,
    ADD COLUMN dismissed_by text,
    ADD COLUMN dismissed_reason text,
    ADD COLUMN superseded_by uuid;
DROP INDEX alarms_open;
CREATE INDEX alarms_open ON alarms (organization_id, raised_at DESC)
    WHERE (active OR NOT acknowledged) AND closed IS NULL;

ALTER TABLE activities ADD COLUMN overdue boolean NOT NULL DEFAULT false;

ALTER TABLE assets
    ADD COLUMN out_of_service boolean NOT NULL DEFAULT false,
    ADD COLUMN out_of_service_reason text;
