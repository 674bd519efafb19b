//! The verification after a chaos run: every acknowledged message is stored once, no alarm is duplicated and every read
//! model equals its rebuild.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use serde::Serialize;
use serde_json::Value;
use tokio::task::spawn_blocking;

use super::installation::Installation;
use crate::api::Api;

/// Alarms per query.
const PAGE: usize = 1_000;

/// The findings.
#[derive(Debug, Serialize)]
pub struct ConsistencyReport {
    /// Acknowledged messages, all doors together.
    pub messages: u64,
    /// Acknowledged messages a second.
    pub messages_per_second: f64,
    /// Acknowledged metric values a second.
    pub values_per_second: f64,
    /// Write-to-PUBACK p95 in milliseconds, of the slowest door.
    pub puback_p95_ms: f64,
    /// Messages acknowledged but not in the history.
    pub missing: u64,
    /// Messages stored more than once.
    pub doubled: u64,
    /// Alarms compared.
    pub alarms: usize,
    /// Duplicate alarms: same rule, entity and start.
    pub doubled_alarms: usize,
    /// Read models that differ from their rebuild.
    pub different: Vec<String>,
    /// Messages, missing and duplicate ones, by door.
    pub doors: BTreeMap<&'static str, [u64; 3]>,
}

impl ConsistencyReport {
    /// Collects the findings from the loads, the alarms and a rebuild of every projection.
    pub async fn collect(
        installation: &Installation,
        api: &Api,
        loads: &[(&'static str, Value)],
    ) -> anyhow::Result<Self> {
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
        let (rebuilt, _) = installation.output(&["replay", "projections", "--all"]).await?;
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

    /// Returns an error if anything is missing, duplicated or different.
    pub fn ensure_consistent(&self) -> anyhow::Result<()> {
        ensure!(self.messages > 0, "nothing was sent");
        ensure!(self.missing == 0 && self.doubled == 0, "missing {}, doubled {}", self.missing, self.doubled);
        ensure!(self.doubled_alarms == 0, "{} alarms are duplicated", self.doubled_alarms);
        ensure!(self.different.is_empty(), "read models differ from their rebuild: {:?}", self.different);
        Ok(())
    }
}

/// Returns rule, entity and start of the newest alarms.
async fn alarms(api: &Api) -> anyhow::Result<Vec<[String; 3]>> {
    let api = api.clone();
    let answer = spawn_blocking(move || api.get(&format!("/api/v1/alarms?limit={PAGE}"))).await??;
    let alarms = answer["alarms"].as_array().context("the answer has no alarms")?;
    Ok(alarms.iter().map(|alarm| ["ruleId", "entityId", "raisedAt"].map(|key| alarm[key].to_string())).collect())
}
