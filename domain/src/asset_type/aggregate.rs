//! State of an asset type and its decisions.

use serde::{Deserialize, Serialize};

use super::combination::{self, Combination};
use super::health_model::{DerivedMetric, HealthModel};
use super::{AssetTypeCommand, AssetTypeEvent, Error};
use crate::aggregate::{Decide, aggregate};
use crate::validation;

/// The state of an asset type, folded from its events.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AssetType {
    /// The definition; `None` until it is defined.
    pub definition: Option<AssetTypeDefinition>,
    /// Whether it is retired.
    pub retired: bool,
}

/// The full definition of an asset type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AssetTypeDefinition {
    /// Its name.
    pub name: String,
    /// Free-text description.
    pub description: Option<String>,
    /// Name of its icon.
    pub icon: Option<String>,
    /// Metrics computed by formulas.
    pub derived_metrics: Vec<DerivedMetric>,
    /// How its health is scored, if it is.
    pub health_model: Option<HealthModel>,
    /// How values of several devices and of child assets are combined.
    #[serde(default)]
    pub combination: Combination,
}

impl Decide for AssetType {
    type Command = AssetTypeCommand;
    type Event = AssetTypeEvent;
    type Error = Error;

    fn decide(&self, command: Self::Command) -> Result<Vec<Self::Event>, Self::Error> {
        use AssetTypeCommand as C;
        match (command, &self.definition) {
            (C::DefineAssetType { name, description, icon, derived_metrics, health_model, combination }, None) => {
                let name = checked(&name, &derived_metrics, health_model.as_ref(), &combination)?;
                Ok(vec![AssetTypeEvent::AssetTypeDefined {
                    name,
                    description,
                    icon,
                    derived_metrics,
                    health_model,
                    combination,
                }])
            }
            (C::DefineAssetType { .. }, Some(_)) => Err(Error::AlreadyExists),
            (_, None) => Err(Error::NotFound),
            (C::RetireAssetType {}, _) if self.retired => Ok(vec![]),
            (C::RetireAssetType {}, _) => Ok(vec![AssetTypeEvent::AssetTypeRetired {}]),
            (_, _) if self.retired => Err(Error::Retired),
            (
                C::ReviseAssetType { name, description, icon, derived_metrics, health_model, combination },
                Some(present),
            ) => {
                let name = checked(&name, &derived_metrics, health_model.as_ref(), &combination)?;
                Ok(present.revise(AssetTypeDefinition {
                    name,
                    description,
                    icon,
                    derived_metrics,
                    health_model,
                    combination,
                }))
            }
        }
    }

    fn evolve(&mut self, event: Self::Event) {
        match event {
            AssetTypeEvent::AssetTypeDefined {
                name,
                description,
                icon,
                derived_metrics,
                health_model,
                combination,
            }
            | AssetTypeEvent::AssetTypeRevised {
                name,
                description,
                icon,
                derived_metrics,
                health_model,
                combination,
            } => {
                self.definition =
                    Some(AssetTypeDefinition { name, description, icon, derived_metrics, health_model, combination });
            }
            AssetTypeEvent::AssetTypeRetired {} => self.retired = true,
        }
    }
}

aggregate!(AssetType, "asset_type");

impl AssetTypeDefinition {
    fn revise(&self, revised: Self) -> Vec<AssetTypeEvent> {
        if *self == revised {
            return vec![];
        }
        let Self { name, description, icon, derived_metrics, health_model, combination } = revised;
        vec![AssetTypeEvent::AssetTypeRevised { name, description, icon, derived_metrics, health_model, combination }]
    }
}

fn checked(
    name: &str,
    derived: &[DerivedMetric],
    health: Option<&HealthModel>,
    combination: &Combination,
) -> Result<String, Error> {
    let name = validation::name(name).ok_or(Error::InvalidName)?;
    combination::check(derived, combination)?;
    let weight = health.and_then(|model| model.children).map_or(1.0, |children| children.weight);
    if !(weight.is_finite() && weight > 0.0) {
        return Err(Error::InvalidWeight);
    }
    let bands = health.map_or(&[][..], |model| &model.bands);
    for band in bands {
        if !validation::is_metric_key(&band.metric_key) {
            return Err(Error::InvalidMetricKey { key: band.metric_key.clone() });
        }
        if !band.is_sound() {
            return Err(Error::InvalidBand { key: band.metric_key.clone() });
        }
    }
    let composites = combination.composites.iter().map(|metric| metric.key.as_str());
    let duplicate = validation::first_duplicate(derived.iter().map(|metric| metric.key.as_str()).chain(composites))
        .or_else(|| validation::first_duplicate(bands.iter().map(|band| band.metric_key.as_str())));
    match duplicate {
        Some(key) => Err(Error::DuplicateMetric { key: key.to_owned() }),
        None => Ok(name),
    }
}
