//! Checkpoints in PostgreSQL: read, moved with fencing, reset. Leader election is in `ownership`; the checkpoint of the
//! latest values is in Redis, next to them (`latest_telemetry`).

use chrono::{DateTime, Utc};
use eventlog::position::{Position, Positions};
use eventlog::{Source, Stream};
use serde_json::Value;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};

use crate::Error;
use crate::origin_marks::OriginMarks;
use crate::sql_values::to_bigint;

/// How far a projection has read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Checkpoint {
    /// The last position read of each stream; streams of which nothing was read are absent.
    pub positions: Positions,
    /// The origin marks of each source.
    pub marks: OriginMarks,
    /// The generation of the read model; each rebuild begins a new one.
    pub generation: i64,
}

type StoredRow = (String, i64, Option<DateTime<Utc>>, Option<String>, Value, i64);

/// Reads the checkpoint of a projection; creates one at the beginning of the log if there is none.
pub async fn open(db: &mut PgConnection, name: &str, sources: &[Source]) -> Result<Checkpoint, Error> {
    let streams: Vec<&str> = sources.iter().map(|source| source.stream.name()).collect();
    sqlx::query(
        "INSERT INTO projection_checkpoint (name, stream, generation)
         SELECT $1, stream, coalesce((SELECT max(generation) FROM projection_checkpoint WHERE name = $1), 0)
         FROM unnest($2::text[]) AS stream ON CONFLICT DO NOTHING",
    )
    .bind(name)
    .bind(&streams)
    .execute(&mut *db)
    .await?;
    let rows: Vec<StoredRow> = sqlx::query_as(
        "SELECT stream, position, incarnation, hash, marks, generation FROM projection_checkpoint WHERE name = $1",
    )
    .bind(name)
    .fetch_all(db)
    .await?;
    let unreadable = |source| Error::Checkpoint { name: name.to_owned(), source };
    let mut checkpoint = Checkpoint::default();
    for (stream, position, incarnation, hash, marks, generation) in rows {
        let Ok(stream) = serde_json::from_value::<Stream>(Value::from(stream)) else { continue };
        checkpoint.generation = generation;
        checkpoint.marks.read_json(stream, marks).map_err(unreadable)?;
        if position > 0 {
            checkpoint.positions.set(stream, Position { sequence: position.unsigned_abs(), incarnation, hash });
        }
    }
    Ok(checkpoint)
}

/// Moves a projection from one checkpoint to the next, in all its streams. Returns false, and the caller must roll
/// back, if another process has moved the checkpoint or a rebuild has begun.
pub async fn advance(
    db: &mut PgConnection,
    name: &str,
    sources: &[Source],
    from: &Checkpoint,
    to: &Positions,
    marks: Option<&OriginMarks>,
) -> Result<bool, Error> {
    let streams: Vec<Stream> = sources.iter().map(|source| source.stream).collect();
    let at = |stream: &Stream| to.get(*stream);
    let old: Vec<i64> = streams.iter().map(|stream| to_bigint(from.positions.sequence(*stream))).collect();
    let new: Vec<i64> = streams.iter().map(|stream| to_bigint(to.sequence(*stream))).collect();
    let incarnations: Vec<Option<DateTime<Utc>>> =
        streams.iter().map(|stream| at(stream).and_then(|position| position.incarnation)).collect();
    let hashes: Vec<Option<String>> =
        streams.iter().map(|stream| at(stream).and_then(|position| position.hash.clone())).collect();
    let marks: Vec<Value> =
        streams.iter().map(|stream| marks.unwrap_or(&OriginMarks::default()).to_json(*stream)).collect();
    let moved = sqlx::query(
        "UPDATE projection_checkpoint c SET position = n.new, incarnation = n.incarnation, hash = n.hash, marks = n.marks
         FROM unnest($2::text[], $3::bigint[], $4::bigint[], $5::timestamptz[], $6::text[], $7::jsonb[])
              AS n (stream, old, new, incarnation, hash, marks)
         WHERE c.name = $1 AND c.stream = n.stream AND c.position = n.old AND c.generation = $8",
    )
    .bind(name)
    .bind(streams.iter().map(|stream| stream.name()).collect::<Vec<_>>())
    .bind(old)
    .bind(new)
    .bind(incarnations)
    .bind(hashes)
    .bind(marks)
    .bind(from.generation)
    .execute(db)
    .await?;
    Ok(moved.rows_affected() == streams.len() as u64)
}

/// Begins a new generation and returns its number. The process that runs the projection now can no longer write it.
pub async fn fence(options: &PgConnectOptions, name: &str, sources: &[Source]) -> Result<i64, Error> {
    let mut db = options.connect().await.map_err(Error::Connect)?;
    open(&mut db, name, sources).await?;
    sqlx::query("UPDATE projection_checkpoint SET generation = generation + 1 WHERE name = $1")
        .bind(name)
        .execute(&mut db)
        .await?;
    let begun = generation(&mut db, name).await?;
    db.close().await?;
    Ok(begun)
}

/// Returns the current generation of a projection, 0 for one that never ran.
pub async fn generation(db: &mut PgConnection, name: &str) -> Result<i64, Error> {
    Ok(sqlx::query_scalar("SELECT coalesce(max(generation), 0) FROM projection_checkpoint WHERE name = $1")
        .bind(name)
        .fetch_one(db)
        .await?)
}

/// Empties the tables of a projection and moves its checkpoint to the beginning of the log.
pub async fn reset(db: &mut PgConnection, name: &str, tables: &[&str]) -> Result<(), Error> {
    if !tables.is_empty() {
        sqlx::query("SELECT read_models_empty($1)").bind(tables).execute(&mut *db).await?;
    }
    sqlx::query(
        "UPDATE projection_checkpoint SET position = 0, incarnation = NULL, hash = NULL, marks = '{}' WHERE name = $1",
    )
    .bind(name)
    .execute(db)
    .await?;
    Ok(())
}
