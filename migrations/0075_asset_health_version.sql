-- The version of what computed a score: the position in `ES` of the definitions that held for it. None of scores from
-- before this was noted.
ALTER TABLE asset_health ADD COLUMN computed_by bigint;
ALTER TABLE asset_health_changes ADD COLUMN computed_by bigint;
