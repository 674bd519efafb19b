CREATE TABLE devices (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    name text NOT NULL,
    description text,
    serial_number text NOT NULL,
    device_type_id uuid NOT NULL,
    custom_attributes jsonb NOT NULL DEFAULT '{}',
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'decommissioned')),
    decommission_reason text,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    updated_at timestamptz NOT NULL,
    version bigint NOT NULL,
    position bigint NOT NULL
);
CREATE INDEX devices_by_name ON devices (organization_id, name, id);
CREATE INDEX devices_by_type ON devices (device_type_id);
CREATE INDEX devices_by_attribute ON devices USING gin (custom_attributes jsonb_path_ops);

-- Kept apart from the devices, because presence comes by another stream and may come first.
CREATE TABLE device_connectivity (
    device_id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    connectivity text NOT NULL CHECK (connectivity IN ('online', 'offline')),
    session_id uuid,
    session_at timestamptz NOT NULL,
    edge text NOT NULL,
    changed_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    reason text
) WITH (fillfactor = 70);
CREATE INDEX device_connectivity_by_edge ON device_connectivity (edge) WHERE connectivity = 'online';
