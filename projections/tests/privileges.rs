//! The privileges of the PostgreSQL roles: `argusiq_read` reads, `argusiq_write` writes rows, and neither can create,
//! alter or drop anything else.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use sqlx::{Connection, PgConnection};

/// Connects as a fresh login role that is a member of a group.
async fn member(url: &str, name: &str, group: &str) -> PgConnection {
    let login = format!("{name}_{}", url.rsplit_once('/').unwrap().1);
    stack::testing::sql(url, &format!("CREATE ROLE {login} LOGIN IN ROLE {group}")).await.unwrap();
    PgConnection::connect(&url.replace("//argusiq@", &format!("//{login}@"))).await.unwrap()
}

async fn refused(db: &mut PgConnection, statement: &str) {
    let error = sqlx::raw_sql(statement).execute(&mut *db).await.expect_err(statement);
    // SQLSTATE 42501 is insufficient_privilege.
    assert_eq!(error.as_database_error().unwrap().code().as_deref(), Some("42501"), "{statement}: {error}");
}

async fn allowed(db: &mut PgConnection, statement: &str) {
    sqlx::raw_sql(statement).execute(&mut *db).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
}

const NEVER: [&str; 9] = [
    "CREATE TABLE mine (a int)",
    "CREATE SCHEMA mine",
    "ALTER TABLE devices ADD COLUMN mine int",
    "DROP TABLE devices",
    "TRUNCATE devices",
    "CREATE ROLE mine",
    "UPDATE installation SET id = 'x'",
    "DELETE FROM _sqlx_migrations",
    "CREATE INDEX mine ON devices (name)",
];

#[tokio::test]
async fn the_read_role_can_only_read() {
    let world = common::world().await;
    let mut db = member(&world.deps.database_url, "r", "argusiq_read").await;
    for statement in ["SELECT * FROM devices", "SELECT * FROM telemetry_history", "SELECT id FROM installation"] {
        allowed(&mut db, statement).await;
    }
    let writes = [
        "DELETE FROM devices",
        "UPDATE projection_checkpoint SET position = 0",
        "INSERT INTO metric_set (keys) VALUES ('{a}')",
        "SELECT read_models_empty('{devices}')",
        "SELECT telemetry_add_day('2026-01-10')",
        "SELECT telemetry_drop_days_before('2026-01-10')",
        "SELECT telemetry_add_segment_day('2026-01-10')",
        "SELECT telemetry_add_hour('2026-01-10 10:00:00Z')",
        "SELECT telemetry_drop_span('telemetry_reading_2026011010')",
    ];
    for statement in NEVER.into_iter().chain(writes) {
        refused(&mut db, statement).await;
    }
}

#[tokio::test]
async fn the_write_role_can_write_rows_and_add_partitions_and_nothing_else() {
    let world = common::world().await;
    let mut db = member(&world.deps.database_url, "w", "argusiq_write").await;
    let writes = [
        "SELECT telemetry_add_hour('2026-01-10 10:00:00Z')",
        "SELECT telemetry_add_hour('2026-01-10 11:00:00Z')",
        "SELECT telemetry_add_segment_day('2026-01-10')",
        "INSERT INTO metric_set (keys) VALUES ('{a}')",
        "INSERT INTO telemetry_reading VALUES ('2026-01-10 10:00:00Z', 1, 1, '{1}')",
        "INSERT INTO telemetry_reading_2026011011 VALUES ('2026-01-10 11:00:00Z', 1, 1, '{1}')",
        "UPDATE projection_checkpoint SET position = 0",
        "DELETE FROM devices",
        "SELECT read_models_empty('{devices,metric_set}')",
        "SELECT telemetry_drop_span('telemetry_reading_2026011010')",
        "SELECT telemetry_drop_days_before('2026-01-11')",
        "SELECT id FROM installation",
    ];
    for statement in writes {
        allowed(&mut db, statement).await;
    }
    for statement in NEVER {
        refused(&mut db, statement).await;
    }
    let dropped = sqlx::raw_sql("SELECT telemetry_drop_span('devices')").execute(&mut db).await;
    assert!(dropped.is_err(), "a table that is no partition was dropped");
    for table in ["installation", "projection_checkpoint", "_sqlx_migrations"] {
        let emptied = sqlx::raw_sql(&format!("SELECT read_models_empty('{{{table}}}')")).execute(&mut db).await;
        assert!(emptied.is_err(), "{table} was emptied");
    }
}

/// Statements on the event store that no role may run directly.
const EVENTS: [&str; 4] = [
    "INSERT INTO event_store (stream, position, subject, follows, payload) VALUES ('ES', 9, 'es.a.b.d', 0, '[]')",
    "UPDATE event_store SET payload = '[]'",
    "DELETE FROM event_store",
    "TRUNCATE event_store",
];
const APPEND: &str = "SELECT event_store_append('ES', 'es.a.b.c', 0, '[]')";

#[tokio::test]
async fn events_are_appended_only_by_their_own_role_and_through_its_function() {
    let world = common::world().await;
    let mut events = member(&world.deps.database_url, "e", "argusiq_events, argusiq_read").await;
    allowed(&mut events, APPEND).await;
    allowed(&mut events, "SELECT * FROM event_store").await;
    for (name, group) in [("er", "argusiq_read"), ("ew", "argusiq_write")] {
        let mut db = member(&world.deps.database_url, name, group).await;
        refused(&mut db, APPEND).await;
        for statement in EVENTS {
            refused(&mut db, statement).await;
        }
    }
    for statement in EVENTS {
        refused(&mut events, statement).await;
    }
}
