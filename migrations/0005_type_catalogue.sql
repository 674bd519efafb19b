CREATE TABLE device_types (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    name text NOT NULL,
    description text,
    metrics jsonb NOT NULL,
    unknown_metrics text NOT NULL,
    retired boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    version bigint NOT NULL,
    position bigint NOT NULL
);
CREATE INDEX device_types_by_name ON device_types (organization_id, name, id);

CREATE TABLE asset_types (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    name text NOT NULL,
    description text,
    icon text,
    derived_metrics jsonb NOT NULL,
    health_model jsonb,
    retired boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    version bigint NOT NULL,
    position bigint NOT NULL
);
CREATE INDEX asset_types_by_name ON asset_types (organization_id, name, id);
