CREATE TABLE dead_letters (
    id uuid PRIMARY KEY,
    organization_id uuid,
    stage text NOT NULL,
    reason text NOT NULL,
    detail text NOT NULL,
    subject text NOT NULL,
    device_id uuid,
    received_at timestamptz NOT NULL,
    payload text NOT NULL
);
CREATE INDEX dead_letters_by_time ON dead_letters (organization_id, received_at DESC, id DESC);
CREATE INDEX dead_letters_by_device ON dead_letters (device_id, received_at DESC);

-- What was decided comes from another stream than the letter, and may be read before it.
CREATE TABLE dead_letters_settled (
    id uuid PRIMARY KEY,
    status text NOT NULL,
    settled_at timestamptz NOT NULL,
    settled_by text NOT NULL,
    comment text
);
