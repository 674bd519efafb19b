//! The privileges of the PostgreSQL group roles: `argusiq_read` may select, `argusiq_write` may also change the rows of
//! read models, `argusiq_events` may append to the event store; none may create or alter. Operators create the login
//! roles and make them members of the groups that they need.

use sqlx::PgConnection;
use tracing::warn;

use crate::Error;

/// The group for reading: `api`, and processes that check the installation's id.
const READ: &str = "argusiq_read";
/// The group for `project`.
const WRITE: &str = "argusiq_write";
/// The group for `api` and `process` if events are stored in PostgreSQL.
const EVENTS: &str = "argusiq_events";

/// SQLSTATE `insufficient_privilege`.
const NOT_ALLOWED: &str = "42501";

/// Creates missing groups and grants them their privileges. If the current role may not create groups, logs a warning
/// and continues: then only this role can use the tables.
pub(crate) async fn grant(db: &mut PgConnection) -> Result<(), Error> {
    if ensure_all(db, &[READ, WRITE]).await? {
        sqlx::raw_sql(GRANTS).execute(&mut *db).await?;
    }
    if ensure_all(db, &[EVENTS]).await? {
        sqlx::raw_sql(GRANTS_ON_EVENTS).execute(&mut *db).await?;
    }
    Ok(())
}

/// Creates missing groups; returns false, after a warning, if one of them cannot be created.
async fn ensure_all(db: &mut PgConnection, groups: &[&str]) -> Result<bool, Error> {
    for group in groups {
        if !ensure(db, group).await? {
            warn!(
                group,
                "this PostgreSQL role may not create the group; have a superuser create it, then migrate again"
            );
            return Ok(false);
        }
    }
    Ok(true)
}

async fn ensure(db: &mut PgConnection, group: &str) -> Result<bool, Error> {
    let exists = sqlx::query_scalar::<_, bool>("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)").bind(group);
    if exists.fetch_one(&mut *db).await? {
        return Ok(true);
    }
    // A concurrent migration may create it at the same moment; that is no error.
    let create = format!(
        "DO $$ BEGIN CREATE ROLE {group} NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
    );
    match sqlx::raw_sql(&create).execute(&mut *db).await {
        Ok(_) => Ok(true),
        Err(error) if error.as_database_error().and_then(|e| e.code()).as_deref() == Some(NOT_ALLOWED) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// The default privileges cover partitions created later by functions such as `telemetry_add_hour`: the projection
/// copies directly into them.
const GRANTS: &str = "
GRANT USAGE ON SCHEMA public TO argusiq_read, argusiq_write;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO argusiq_read, argusiq_write;
GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO argusiq_write;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO argusiq_write;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO argusiq_read;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO argusiq_write;
REVOKE INSERT, UPDATE, DELETE ON installation, _sqlx_migrations, event_store, events FROM argusiq_write;
GRANT EXECUTE ON FUNCTION telemetry_add_day(date), telemetry_add_segment_day(date), telemetry_add_hour(timestamptz),
    telemetry_drop_span(text), telemetry_drop_days_before(date), read_models_empty(text[])
    TO argusiq_write;
";

const GRANTS_ON_EVENTS: &str = "
GRANT USAGE ON SCHEMA public TO argusiq_events;
GRANT SELECT ON event_store, events TO argusiq_events;
GRANT EXECUTE ON FUNCTION event_store_append(text, text, bigint, bytea) TO argusiq_events;
";
