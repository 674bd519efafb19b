CREATE TABLE asset_health (
    asset_id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    score smallint NOT NULL,
    previous smallint,
    cause text,
    measured_at timestamptz NOT NULL,
    position bigint NOT NULL
) WITH (fillfactor = 70);

CREATE TABLE asset_health_changes (
    asset_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    score smallint NOT NULL,
    previous smallint,
    cause text,
    measured_at timestamptz NOT NULL,
    position bigint NOT NULL,
    ordinal integer NOT NULL,
    PRIMARY KEY (asset_id, measured_at, position, ordinal)
);
