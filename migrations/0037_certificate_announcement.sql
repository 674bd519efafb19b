-- When people were told that a certificate is expiring.
ALTER TABLE device_certificates ADD COLUMN announced_at timestamptz;
CREATE INDEX device_certificates_unannounced ON device_certificates (organization_id, valid_until, id)
    WHERE expiring AND announced_at IS NULL AND revoked_at IS NULL;
