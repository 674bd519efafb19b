//! What the roles of PostgreSQL may do: `argusiq_read` may select, `argusiq_write` may change the rows of read models too,
//! `argusiq_events` may append to the event store; none may create or alter. Login roles are the operator's, and become
//! members of what they need.

use sqlx::PgConnection;
use tracing::warn;

use crate::Error;

/// The group of those who read: `api`, and whoever asks which installation this is.
const READ: &str = "argusiq_read";
/// The group of `project`.
const WRITE: &str = "argusiq_write";
/// The group of `api` and `process` where events are kept in PostgreSQL.
const EVENTS: &str = "argusiq_events";

/// `insufficient_privilege` in PostgreSQL's list of error codes.
const NOT_ALLOWED: &str = "42501";

/// Creates the groups where they are missing and grants them what they need. A role that may not create groups says
/// so and goes on: then it is the only one that can use the tables.
pub(crate) async fn grant(db: &mut PgConnection) -> Result<(), Error> {
    if there(db, &[READ, WRITE]).await? {
        sqlx::raw_sql(GRANTS).execute(&mut *db).await?;
    }
    if there(db, &[EVENTS]).await? {
        sqlx::raw_sql(GRANTS_ON_EVENTS).execute(&mut *db).await?;
    }
    Ok(())
}

/// Makes sure of groups; says which one is missing and tells that one is.
async fn there(db: &mut PgConnection, groups: &[&str]) -> Result<bool, Error> {
    for group in groups {
        if !ensure(db, group).await? {
            warn!(
                group,
                "this PostgreSQL role may not create the group: have a superuser create it, then migrate again"
            );
            return Ok(false);
        }
    }
    Ok(true)
}

async fn ensure(db: &mut PgConnection, group: &str) -> Result<bool, Error> {
    let there = sqlx::query_scalar::<_, bool>("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)").bind(group);
    if there.fetch_one(&mut *db).await? {
        return Ok(true);
    }
    // Another migration may create it at the same moment.
    let create = format!(
        "DO $$ BEGIN CREATE ROLE {group} NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
    );
    match sqlx::raw_sql(&create).execute(&mut *db).await {
        Ok(_) => Ok(true),
        Err(error) if error.as_database_error().and_then(|e| e.code()).as_deref() == Some(NOT_ALLOWED) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// The default privileges are for the partitions that `telemetry_add_hour` and its like make: the projection copies
/// straight into them.
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
