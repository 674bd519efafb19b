-- Composites of the assets below, and how long values are used.
ALTER TABLE asset_types ADD COLUMN combination jsonb NOT NULL DEFAULT '{}';
