//! Whether the platform kept its word: the ledger of each load, alarms that are there twice, and read models that differ
//! from a rebuild. What does not live here: reading the ledger, which each load does for itself.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use serde::Serialize;
use serde_json::Value;
use tokio::task::spawn_blocking;

use super::crew::Crew;
use crate::api::Api;

/// Alarms that one query answers.
const PAGE: usize = 1_000;

/// What was found.
#[derive(Debug, Serialize)]
pub struct Verdict {
    /// Messages acknowledged, through all doors.
    pub messages: u64,
    /// Of those, a second.
    pub messages_per_second: f64,
    /// Values in them, a second.
    pub values_per_second: f64,
    /// Write to PUBACK, 95 %, milliseconds: that of the slowest door.
    pub puback_p95_ms: f64,
    /// Acknowledged and not in the history.
    pub missing: u64,
    /// In the history more than once.
    pub doubled: u64,
    /// Alarms looked at.
    pub alarms: usize,
    /// Alarms of the same rule, entity and start.
    pub doubled_alarms: usize,
    /// Read models that are not what a rebuild makes them.
    pub different: Vec<String>,
    /// Messages, missing and doubled by door.
    pub doors: BTreeMap<&'static str, [u64; 3]>,
}

impl Verdict {
    /// Compares everything that can be compared.
    pub async fn reach(crew: &Crew, api: &Api, loads: &[(&'static str, Value)]) -> anyhow::Result<Self> {
        let sum = |key: &str| loads.iter().filter_map(|(_, figures)| figures[key].as_f64()).sum::<f64>();
        let count = |figures: &Value, key: &str| figures[key].as_u64().unwrap_or_default();
        let doors = loads
            .iter()
            .map(|(door, figures)| (*door, ["messages", "missing", "doubled"].map(|key| count(figures, key))));
        let puback = loads.iter().filter_map(|(_, figures)| figures["puback_ms"][1].as_f64());
        let alarms = alarms(api).await?;
        let mut distinct = alarms.clone();
        distinct.sort();
        distinct.dedup();
        let (rebuilt, _) = crew.output(&["replay", "projections", "--all"]).await?;
        ensure!(rebuilt.contains("telemetry_history"), "nothing was rebuilt: {rebuilt}");
        println!("{rebuilt}");
        Ok(Self {
            messages: sum("messages") as u64,
            messages_per_second: sum("messages_per_second"),
            values_per_second: sum("values_per_second"),
            puback_p95_ms: puback.fold(0.0, f64::max),
            missing: sum("missing") as u64,
            doubled: sum("doubled") as u64,
            alarms: alarms.len(),
            doubled_alarms: alarms.len() - distinct.len(),
            different: rebuilt.lines().filter(|line| line.contains("DIFFERENT")).map(str::to_owned).collect(),
            doors: doors.collect(),
        })
    }

    /// Errors when the platform did not keep its word.
    pub fn ensure_sound(&self) -> anyhow::Result<()> {
        ensure!(self.messages > 0, "nothing was sent");
        ensure!(self.missing == 0 && self.doubled == 0, "missing {}, doubled {}", self.missing, self.doubled);
        ensure!(self.doubled_alarms == 0, "{} alarms are there twice", self.doubled_alarms);
        ensure!(self.different.is_empty(), "not what a rebuild makes them: {:?}", self.different);
        Ok(())
    }
}

/// Rule, entity and start of the newest alarms.
async fn alarms(api: &Api) -> anyhow::Result<Vec<[String; 3]>> {
    let api = api.clone();
    let answer = spawn_blocking(move || api.get(&format!("/api/v1/alarms?limit={PAGE}"))).await??;
    let alarms = answer["alarms"].as_array().context("the answer has no alarms")?;
    Ok(alarms.iter().map(|alarm| ["ruleId", "entityId", "raisedAt"].map(|key| alarm[key].to_string())).collect())
}
