//! Surrogate keys: the integers by which rows refer to entities and metric sets. A key never changes once assigned, so
//! it is stored outside the transaction that first needs it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sqlx::PgConnection;
use uuid::Uuid;

use super::decode::{DecodedBatch, EntityKind, Reading};
use crate::Error;

/// A reading with the surrogate keys of its entity, metric set and source devices.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyedReading {
    pub entity: i32,
    pub set: i32,
    /// Empty for devices.
    pub sources: Vec<i32>,
    pub reading: Reading,
}

/// A cache of surrogate keys.
#[derive(Debug, Default)]
pub struct SurrogateKeys {
    entities: HashMap<Uuid, i32>,
    sets: HashMap<Vec<String>, i32>,
}

impl SurrogateKeys {
    /// Loads or assigns the keys of every entity and metric set in a batch.
    pub async fn intern(&mut self, db: &mut PgConnection, decoded: &DecodedBatch) -> Result<(), Error> {
        self.intern_entities(db, &decoded.readings).await?;
        let unknown = decoded.sets.iter().filter(|keys| !self.sets.contains_key(*keys));
        for keys in unknown.cloned().collect::<BTreeSet<_>>() {
            self.set(db, keys).await?;
        }
        Ok(())
    }

    /// Returns the key of a metric set; assigns one if it has none.
    pub async fn set(&mut self, db: &mut PgConnection, keys: Vec<String>) -> Result<i32, Error> {
        if let Some(id) = self.sets.get(&keys) {
            return Ok(*id);
        }
        sqlx::query("INSERT INTO metric_set (keys) VALUES ($1) ON CONFLICT DO NOTHING")
            .bind(&keys)
            .execute(&mut *db)
            .await?;
        let id: i32 =
            sqlx::query_scalar("SELECT id FROM metric_set WHERE keys = $1").bind(&keys).fetch_one(&mut *db).await?;
        sqlx::query(
            "INSERT INTO metric_slot (metric_set, slot, metric_key)
             SELECT $1, slot, metric_key FROM unnest($2::text[]) WITH ORDINALITY AS k (metric_key, slot)
             ON CONFLICT DO NOTHING",
        )
        .bind(id)
        .bind(&keys)
        .execute(db)
        .await?;
        self.sets.insert(keys, id);
        Ok(id)
    }

    async fn intern_entities(&mut self, db: &mut PgConnection, rows: &[Reading]) -> Result<(), Error> {
        let mut unknown: BTreeMap<Uuid, (&'static str, Uuid)> = BTreeMap::new();
        for row in rows {
            let sources = row.sources.iter().map(|device| (*device, EntityKind::Device));
            for (id, kind) in sources.chain([(row.entity, row.kind)]) {
                if !self.entities.contains_key(&id) {
                    unknown.insert(id, (name(kind), row.organization));
                }
            }
        }
        if unknown.is_empty() {
            return Ok(());
        }
        let ids: Vec<Uuid> = unknown.keys().copied().collect();
        let (kinds, organizations): (Vec<&str>, Vec<Uuid>) = unknown.into_values().unzip();
        sqlx::query(
            "INSERT INTO telemetry_entity (entity_id, entity_type, organization_id)
             SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[]) ON CONFLICT DO NOTHING",
        )
        .bind(&ids)
        .bind(kinds)
        .bind(organizations)
        .execute(&mut *db)
        .await?;
        let sql = "SELECT entity_id, key FROM telemetry_entity WHERE entity_id = ANY($1)";
        let found: Vec<(Uuid, i32)> = sqlx::query_as(sql).bind(&ids).fetch_all(db).await?;
        self.entities.extend(found);
        Ok(())
    }

    /// Replaces ids and key lists by surrogate keys, for a batch that `intern` has seen.
    pub fn resolve(&self, decoded: DecodedBatch) -> Vec<KeyedReading> {
        let sets: Vec<Option<i32>> = decoded.sets.iter().map(|keys| self.sets.get(keys).copied()).collect();
        let number = |id: &Uuid| self.entities.get(id).copied();
        let resolve = |reading: Reading| {
            Some(KeyedReading {
                entity: number(&reading.entity)?,
                set: sets.get(reading.set).copied().flatten()?,
                sources: reading.sources.iter().filter_map(number).collect(),
                reading,
            })
        };
        decoded.readings.into_iter().filter_map(resolve).collect()
    }
}

fn name(kind: EntityKind) -> &'static str {
    match kind {
        EntityKind::Device => "Device",
        EntityKind::Asset => "Asset",
    }
}
