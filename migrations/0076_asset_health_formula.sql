-- The version of the formula of a score; none of scores from before this was noted. From here on computed_by is the position
-- of the model's own definition; before, that of all definitions that held.
ALTER TABLE asset_health ADD COLUMN formula_version integer;
ALTER TABLE asset_health_changes ADD COLUMN formula_version integer;
