CREATE TABLE activity_types (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    name text NOT NULL,
    definition jsonb NOT NULL,
    retired boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    updated_at timestamptz NOT NULL,
    version bigint NOT NULL,
    position bigint NOT NULL
);
CREATE INDEX activity_types_by_name ON activity_types (organization_id, name, id);

CREATE TABLE asset_profiles (LIKE activity_types INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
ALTER TABLE asset_profiles ADD PRIMARY KEY (id);
CREATE INDEX asset_profiles_by_name ON asset_profiles (organization_id, name, id);

CREATE TABLE protocol_converters (LIKE activity_types INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
ALTER TABLE protocol_converters ADD PRIMARY KEY (id);
CREATE INDEX protocol_converters_by_name ON protocol_converters (organization_id, name, id);

CREATE TABLE notification_channels (LIKE activity_types INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
ALTER TABLE notification_channels ADD PRIMARY KEY (id);
CREATE INDEX notification_channels_by_name ON notification_channels (organization_id, name, id);

-- What an asset took over from the profile that it was made from.
ALTER TABLE assets ADD COLUMN profile_id uuid;
ALTER TABLE assets ADD COLUMN health_thresholds jsonb;
ALTER TABLE assets ADD COLUMN telemetry_mappings jsonb;
ALTER TABLE assets ADD COLUMN icon text;

-- What converts the payloads of a type's devices.
ALTER TABLE device_types ADD COLUMN converter_id uuid;
