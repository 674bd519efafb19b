CREATE TABLE assets (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    name text NOT NULL,
    description text,
    asset_type_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('device', 'asset', 'space')),
    latitude double precision,
    longitude double precision,
    custom_attributes jsonb NOT NULL DEFAULT '{}',
    retired boolean NOT NULL DEFAULT false,
    retired_reason text,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    updated_at timestamptz NOT NULL,
    version bigint NOT NULL,
    position bigint NOT NULL
);
CREATE INDEX assets_by_name ON assets (organization_id, name, id);
CREATE INDEX assets_by_type ON assets (asset_type_id);
CREATE INDEX assets_by_attribute ON assets USING gin (custom_attributes jsonb_path_ops);

-- Which asset is part of which: the edges of the organisation's tree.
CREATE TABLE asset_places (
    asset_id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    parent_id uuid NOT NULL,
    position bigint NOT NULL
);
CREATE INDEX asset_places_by_parent ON asset_places (parent_id);

CREATE TABLE asset_links (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    device_id uuid NOT NULL,
    asset_id uuid NOT NULL,
    port integer,
    role text NOT NULL CHECK (role IN ('primary', 'backup', 'secondary')),
    valid_from timestamptz NOT NULL,
    valid_until timestamptz,
    metrics_mapping jsonb NOT NULL DEFAULT '{}',
    position bigint NOT NULL
);
CREATE INDEX asset_links_by_device ON asset_links (device_id, valid_from);
CREATE INDEX asset_links_by_asset ON asset_links (asset_id, valid_from);
