//! What is remembered of each asset of which something is computed: the newest value of each metric that is asked for, what
//! the assets below said, and the last score.

mod asset;

use std::collections::{BTreeMap, BTreeSet};

use domain::asset_type::{Computation, HealthModel};
use domain::directory::DirectoryView;
use domain::ids::{AssetId, OrganizationId};
use domain::telemetry::health::FORMULA_VERSION;
use domain::telemetry::{AssetReading, ChildValues, MetricSets, ScoredBy};
use serde::{Deserialize, Serialize};

use super::output::Lane;
use asset::Combined;

/// The assets of one partition.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct State(BTreeMap<AssetId, Combined>);

/// One input message being worked on.
pub struct Scene<'s> {
    directory: DirectoryView<'s>,
    lane: Lane<'s>,
    /// Assets below which something changed.
    heard: BTreeSet<AssetId>,
    /// What assets say to the one above, the newest of each.
    said: BTreeMap<AssetId, ChildValues>,
}

/// What is asked of an asset.
struct Asked<'s> {
    computation: &'s Computation,
    health: Option<&'s HealthModel>,
    scored_by: ScoredBy,
    above: Option<Above<'s>>,
}

/// What the asset above asks for.
#[derive(Clone, Copy)]
struct Above<'s> {
    parent: AssetId,
    computation: &'s Computation,
    health: bool,
}

impl<'s> Scene<'s> {
    /// Begins with a message, read with a directory as of a position.
    pub fn new(directory: DirectoryView<'s>, lane: Lane<'s>) -> Self {
        Self { directory, lane, heard: BTreeSet::new(), said: BTreeMap::new() }
    }

    /// Answers what is asked of an asset; none where it is not known or out of use.
    fn asked(&self, asset: AssetId) -> Option<Asked<'s>> {
        let entry = self.directory.asset(asset).filter(|entry| !entry.retired)?;
        let of_type = self.directory.asset_type(entry.asset_type)?;
        let above = entry.parent.and_then(|parent| {
            let entry = self.directory.asset(parent).filter(|entry| !entry.retired)?;
            let of_type = self.directory.asset_type(entry.asset_type)?;
            let health = of_type.health_model.as_ref().is_some_and(|model| model.children.is_some());
            Some(Above { parent, computation: &of_type.computation, health })
        });
        Some(Asked {
            computation: &of_type.computation,
            health: of_type.health_model.as_ref(),
            scored_by: ScoredBy { formula: FORMULA_VERSION, model: of_type.scores_since },
            above,
        })
    }

    fn is_child(&self, child: AssetId, parent: AssetId) -> bool {
        let entry = self.directory.asset(child);
        entry.is_some_and(|entry| !entry.retired && entry.parent == Some(parent))
    }
}

impl Asked<'_> {
    /// Tells whether the newest value of a metric must be known.
    fn wants(&self, metric: &str) -> bool {
        self.computation.wants(metric) || self.above.is_some_and(|above| above.computation.asks_below(metric))
    }
}

impl State {
    /// Takes values of a device that is no backup.
    pub fn observe(&mut self, scene: &mut Scene<'_>, reading: &AssetReading, sets: &MetricSets) {
        let Some(asked) = scene.asked(reading.asset) else { return };
        let asset = match self.0.get_mut(&reading.asset) {
            Some(asset) => asset,
            None if sets.keys(reading.set).iter().any(|key| asked.wants(key)) => {
                self.0.entry(reading.asset).or_default()
            }
            None => return,
        };
        asset.hear_of_primary(reading, sets);
        if asset.learn(&asked, reading, sets) {
            asset.compute(scene, &asked, reading.asset, reading.organization, reading);
        }
    }

    /// Takes values of a backup: those count whose metric no other device has sent for a while.
    pub fn consider(&mut self, scene: &mut Scene<'_>, offer: &AssetReading, sets: &MetricSets) {
        let Some(asked) = scene.asked(offer.asset) else { return };
        let asset = self.0.entry(offer.asset).or_default();
        let Some((accepted, sets)) = asset.accept(&asked, offer, sets) else { return };
        scene.lane.accepted(super::output::Computed {
            numbers: sets.keys(0).iter().cloned().zip(accepted.numbers.iter().copied()).collect(),
            reading: accepted.clone(),
        });
        if asset.learn(&asked, &accepted, &sets) {
            asset.compute(scene, &asked, offer.asset, offer.organization, &accepted);
        }
    }

    /// Takes what an asset below says.
    pub fn hear(&mut self, scene: &mut Scene<'_>, said: &ChildValues) {
        if scene.is_child(said.child, said.parent) {
            self.0.entry(said.parent).or_default().hear(said);
            scene.heard.insert(said.parent);
        }
    }

    /// Computes what follows from what was heard, and says it to the assets above.
    pub fn settle(&mut self, mut scene: Scene<'_>) {
        for parent in std::mem::take(&mut scene.heard) {
            let (Some(asked), Some(asset)) = (scene.asked(parent), self.0.get_mut(&parent)) else { continue };
            let Some(organization) = self::organization(&scene, parent) else { continue };
            asset.forget_others(|child| scene.is_child(child, parent));
            if let Some(occasion) = asset.occasion(parent, organization) {
                asset.compute(&mut scene, &asked, parent, organization, &occasion);
            }
        }
        for said in std::mem::take(&mut scene.said).into_values() {
            scene.lane.child(said);
        }
    }
}

fn organization(scene: &Scene<'_>, asset: AssetId) -> Option<OrganizationId> {
    scene.directory.asset(asset).map(|entry| entry.organization)
}
