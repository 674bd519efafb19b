CREATE TABLE device_certificates (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    device_id uuid NOT NULL,
    serial_number text NOT NULL,
    certificate text NOT NULL,
    fingerprint_sha256 text NOT NULL,
    valid_from timestamptz NOT NULL,
    valid_until timestamptz NOT NULL,
    expiring boolean NOT NULL DEFAULT false,
    expired boolean NOT NULL DEFAULT false,
    revoked_at timestamptz,
    revoked_reason text,
    revoked_code text,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    version bigint NOT NULL,
    position bigint NOT NULL
);
CREATE INDEX device_certificates_by_device ON device_certificates (device_id, valid_from);
CREATE INDEX device_certificates_by_serial ON device_certificates (serial_number);
CREATE INDEX device_certificates_by_expiry ON device_certificates (valid_until) WHERE revoked_at IS NULL;
