//! State of a device type and its decisions.

use serde::{Deserialize, Serialize};

use super::{DeviceTypeCommand, DeviceTypeEvent, Error, MetricDefinition, UnknownMetrics};
use crate::aggregate::{Decide, aggregate};
use crate::ids::ProtocolConverterId;
use crate::validation;

/// The state of a device type, folded from its events.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DeviceType {
    /// The definition; `None` until it is defined.
    pub definition: Option<DeviceTypeDefinition>,
    /// Whether it is retired.
    pub retired: bool,
    /// The protocol converter for the payloads of its devices.
    #[serde(default)]
    pub converter_id: Option<ProtocolConverterId>,
}

/// The full definition of a device type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeviceTypeDefinition {
    /// Its name.
    pub name: String,
    /// Free-text description.
    pub description: Option<String>,
    /// The declared metrics; keys are unique.
    pub metrics: Vec<MetricDefinition>,
    /// How undeclared metrics are handled.
    pub unknown_metrics: UnknownMetrics,
}

impl Decide for DeviceType {
    type Command = DeviceTypeCommand;
    type Event = DeviceTypeEvent;
    type Error = Error;

    fn decide(&self, command: Self::Command) -> Result<Vec<Self::Event>, Self::Error> {
        use DeviceTypeCommand as C;
        match (command, &self.definition) {
            (C::DefineDeviceType { name, description, metrics, unknown_metrics }, None) => {
                let name = checked(&name, &metrics)?;
                Ok(vec![DeviceTypeEvent::DeviceTypeDefined { name, description, metrics, unknown_metrics }])
            }
            (C::DefineDeviceType { .. }, Some(_)) => Err(Error::AlreadyExists),
            (_, None) => Err(Error::NotFound),
            (C::RetireDeviceType {}, _) if self.retired => Ok(vec![]),
            (C::RetireDeviceType {}, _) => Ok(vec![DeviceTypeEvent::DeviceTypeRetired {}]),
            (_, _) if self.retired => Err(Error::Retired),
            (C::AssignConverter { converter_id }, _) => {
                let changed = converter_id != self.converter_id;
                let event = DeviceTypeEvent::DeviceTypeConverterAssigned { converter_id };
                Ok(changed.then_some(event).into_iter().collect())
            }
            (C::ReviseDeviceType { name, description, metrics, unknown_metrics }, Some(present)) => {
                let name = checked(&name, &metrics)?;
                Ok(present.revise(DeviceTypeDefinition { name, description, metrics, unknown_metrics }))
            }
        }
    }

    fn evolve(&mut self, event: Self::Event) {
        match event {
            DeviceTypeEvent::DeviceTypeDefined { name, description, metrics, unknown_metrics }
            | DeviceTypeEvent::DeviceTypeRevised { name, description, metrics, unknown_metrics } => {
                self.definition = Some(DeviceTypeDefinition { name, description, metrics, unknown_metrics });
            }
            DeviceTypeEvent::DeviceTypeConverterAssigned { converter_id } => self.converter_id = converter_id,
            DeviceTypeEvent::DeviceTypeRetired {} => self.retired = true,
        }
    }
}

aggregate!(DeviceType, "device_type");

impl DeviceTypeDefinition {
    fn revise(&self, revised: Self) -> Vec<DeviceTypeEvent> {
        if *self == revised {
            return vec![];
        }
        let Self { name, description, metrics, unknown_metrics } = revised;
        vec![DeviceTypeEvent::DeviceTypeRevised { name, description, metrics, unknown_metrics }]
    }
}

fn checked(name: &str, metrics: &[MetricDefinition]) -> Result<String, Error> {
    let name = validation::name(name).ok_or(Error::InvalidName)?;
    for metric in metrics {
        let key = || metric.key.clone();
        if !validation::is_metric_key(&metric.key) {
            return Err(Error::InvalidMetricKey { key: key() });
        }
        if !is_range(metric.minimum, metric.maximum) {
            return Err(Error::InvalidRange { key: key() });
        }
    }
    match validation::first_duplicate(metrics.iter().map(|metric| metric.key.as_str())) {
        Some(key) => Err(Error::DuplicateMetric { key: key.to_owned() }),
        None => Ok(name),
    }
}

fn is_range(minimum: Option<f64>, maximum: Option<f64>) -> bool {
    let ends_finite = [minimum, maximum].into_iter().flatten().all(f64::is_finite);
    ends_finite && minimum.zip(maximum).is_none_or(|(minimum, maximum)| minimum <= maximum)
}
