-- Expiring certificates that nothing took the place of yet, for automatic renewal to look at every few seconds.
CREATE INDEX device_certificates_unrenewed ON device_certificates (valid_until, id)
    WHERE expiring AND renewed_at IS NULL AND revoked_at IS NULL;
