-- Which installation this database belongs to: one row.
CREATE TABLE installation (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    id text NOT NULL
);

-- What needs the owner of the tables is done for others by functions, so that the projections' own role can neither
-- create nor alter anything else.
ALTER FUNCTION telemetry_add_day(date) SECURITY DEFINER SET search_path = public, pg_temp;
ALTER FUNCTION telemetry_drop_days_before(date) SECURITY DEFINER SET search_path = public, pg_temp;

-- Empties read models, for rebuilding them.
CREATE FUNCTION read_models_empty(names text[]) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    list text;
BEGIN
    IF names && ARRAY['installation', '_sqlx_migrations', 'projection_checkpoint'] THEN
        RAISE EXCEPTION 'these are no read models: %', names;
    END IF;
    SELECT string_agg(format('public.%I', name), ', ') INTO list FROM unnest(names) AS name;
    EXECUTE 'TRUNCATE ' || list || ' RESTART IDENTITY';
END $$;

REVOKE EXECUTE ON FUNCTION telemetry_add_day(date), telemetry_drop_days_before(date), read_models_empty(text[])
    FROM PUBLIC;
