-- What takes a certificate's place, until when both hold, and the states a certificate came through. In an installation
-- that is older than this, `argusiq replay projections certificate_register` fills the states of certificates issued
-- before.
ALTER TABLE device_certificates
    ADD COLUMN renewed_at timestamptz,
    ADD COLUMN successor_id uuid,
    ADD COLUMN overlap_ends_at timestamptz,
    ADD COLUMN history jsonb NOT NULL DEFAULT '[]';
CREATE INDEX device_certificates_by_creation ON device_certificates (organization_id, created_at DESC, id);
CREATE INDEX device_certificates_revoked ON device_certificates (organization_id, valid_until)
    WHERE revoked_at IS NOT NULL;
