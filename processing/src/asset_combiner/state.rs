//! The state of each asset for which something is computed: the newest value of each required metric, the reports of
//! its child assets, and the last score.

mod asset;

use std::collections::{BTreeMap, BTreeSet};

use domain::asset_type::{Computation, HealthModel};
use domain::directory::DirectoryView;
use domain::ids::{AssetId, OrganizationId};
use domain::telemetry::health::FORMULA_VERSION;
use domain::telemetry::{AssetReading, ChildValues, MetricSets, ScoredBy};
use serde::{Deserialize, Serialize};

use super::output::ResultWriter;
use asset::AssetState;

/// The assets of one partition.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct State(BTreeMap<AssetId, AssetState>);

/// The processing of one input message.
pub struct MessageContext<'s> {
    directory: DirectoryView<'s>,
    writer: ResultWriter<'s>,
    /// Assets with a child that reported.
    changed_parents: BTreeSet<AssetId>,
    /// The newest report of each child asset to its parent.
    reports_to_parents: BTreeMap<AssetId, ChildValues>,
}

/// What must be computed for an asset.
struct Requirements<'s> {
    computation: &'s Computation,
    health: Option<&'s HealthModel>,
    scored_by: ScoredBy,
    parent: Option<ParentRequirements<'s>>,
}

/// What the parent asset needs from a child.
#[derive(Clone, Copy)]
struct ParentRequirements<'s> {
    parent: AssetId,
    computation: &'s Computation,
    health: bool,
}

impl<'s> MessageContext<'s> {
    /// Starts a message, read with the directory as of a position.
    pub fn new(directory: DirectoryView<'s>, writer: ResultWriter<'s>) -> Self {
        Self { directory, writer, changed_parents: BTreeSet::new(), reports_to_parents: BTreeMap::new() }
    }

    /// Returns the requirements of an asset; none where it is unknown or retired.
    fn requirements(&self, asset: AssetId) -> Option<Requirements<'s>> {
        let entry = self.directory.asset(asset).filter(|entry| !entry.retired)?;
        let of_type = self.directory.asset_type(entry.asset_type)?;
        let parent = entry.parent.and_then(|parent| {
            let entry = self.directory.asset(parent).filter(|entry| !entry.retired)?;
            let of_type = self.directory.asset_type(entry.asset_type)?;
            let health = of_type.health_model.as_ref().is_some_and(|model| model.children.is_some());
            Some(ParentRequirements { parent, computation: &of_type.computation, health })
        });
        Some(Requirements {
            computation: &of_type.computation,
            health: of_type.health_model.as_ref(),
            scored_by: ScoredBy { formula: FORMULA_VERSION, model: of_type.scores_since },
            parent,
        })
    }

    fn is_child(&self, child: AssetId, parent: AssetId) -> bool {
        let entry = self.directory.asset(child);
        entry.is_some_and(|entry| !entry.retired && entry.parent == Some(parent))
    }
}

impl Requirements<'_> {
    /// Whether the newest value of a metric must be kept.
    fn wants(&self, metric: &str) -> bool {
        self.computation.needs(metric)
            || self.parent.is_some_and(|parent| parent.computation.needs_from_children(metric))
    }
}

impl State {
    /// Processes values of an asset. With `from_backup` they are accepted ones of a backup device.
    pub fn observe(
        &mut self,
        message: &mut MessageContext<'_>,
        reading: &AssetReading,
        sets: &MetricSets,
        from_backup: bool,
    ) {
        let Some(requirements) = message.requirements(reading.asset) else { return };
        let asset = match self.0.get_mut(&reading.asset) {
            Some(asset) => asset,
            None if sets.keys(reading.set).iter().any(|key| requirements.wants(key)) => {
                self.0.entry(reading.asset).or_default()
            }
            None => return,
        };
        if !from_backup {
            asset.note_primary(reading, sets);
        }
        if asset.update_latest(&requirements, reading, sets) {
            asset.compute(message, &requirements, reading.asset, reading.organization, reading);
        }
    }

    /// Processes values of a backup device. A value is accepted if no other device has sent its metric for the takeover
    /// time. Accepted values are only written: this stage reads them back from where every reader has them, so that it
    /// computes with the same order of arrival as latest values, history and rules show.
    pub fn offer_backup(&mut self, message: &mut MessageContext<'_>, offer: &AssetReading, sets: &MetricSets) {
        let Some(requirements) = message.requirements(offer.asset) else { return };
        let asset = self.0.entry(offer.asset).or_default();
        let Some((accepted, sets)) = asset.accept_backup(&requirements, offer, sets) else { return };
        message.writer.write_accepted_backup(super::output::ComputedReading {
            numbers: sets.keys(0).iter().cloned().zip(accepted.numbers.iter().copied()).collect(),
            reading: accepted,
        });
    }

    /// Processes the report of a child asset.
    pub fn receive_child_values(&mut self, message: &mut MessageContext<'_>, report: &ChildValues) {
        if message.is_child(report.child, report.parent) {
            self.0.entry(report.parent).or_default().update_child(report);
            message.changed_parents.insert(report.parent);
        }
    }

    /// Computes the parents whose children reported, and writes the reports to their own parents.
    pub fn finish(&mut self, mut message: MessageContext<'_>) {
        for parent in std::mem::take(&mut message.changed_parents) {
            let (Some(requirements), Some(asset)) = (message.requirements(parent), self.0.get_mut(&parent)) else {
                continue;
            };
            let Some(organization) = self::organization(&message, parent) else { continue };
            asset.retain_children(|child| message.is_child(child, parent));
            if let Some(trigger) = asset.trigger_from_children(parent, organization) {
                asset.compute(&mut message, &requirements, parent, organization, &trigger);
            }
        }
        for report in std::mem::take(&mut message.reports_to_parents).into_values() {
            message.writer.write_child_values(report);
        }
    }
}

fn organization(message: &MessageContext<'_>, asset: AssetId) -> Option<OrganizationId> {
    message.directory.asset(asset).map(|entry| entry.organization)
}
