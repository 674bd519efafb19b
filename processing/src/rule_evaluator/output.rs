//! Turns condition changes into alarm commands, and into threshold events in packs by partition.

use std::collections::BTreeMap;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use domain::alarm::{AlarmCommand, Breach};
use domain::alarming::{Change, Severity, alarm_id};
use domain::directory::{DirectoryView, RuleEntry};
use domain::ids::{AlarmId, RuleId, derive};
use domain::rule::EntityKind;
use domain::telemetry::{Origin, ThresholdEvent, Transition};
use eventlog::Stream;
use uuid::Uuid;

use super::input::Observation;
use super::presence::WentOffline;
use crate::stage::{Command, Effects};

/// The most events in one message; an event takes about 700 bytes.
const MAX_EVENTS: usize = 400;

/// The events and commands of a batch.
#[derive(Default)]
pub struct Output {
    events: BTreeMap<(u16, u16), Vec<ThresholdEvent>>,
    commands: Vec<Command>,
}

/// Writes the output of one partition from one input source.
pub struct ChangeWriter<'o> {
    events: &'o mut Vec<ThresholdEvent>,
    commands: &'o mut Vec<Command>,
    origin: Origin,
    es_position: u64,
}

impl Output {
    /// Returns the writer for a partition and a source.
    pub fn writer(&mut self, partition: u16, source: u16) -> ChangeWriter<'_> {
        let events = self.events.entry((partition, source)).or_default();
        ChangeWriter { events, commands: &mut self.commands, origin: Origin::default(), es_position: 0 }
    }

    /// Turns the events into messages and passes on the commands.
    pub fn effects(self) -> Effects {
        let mut effects = Effects { commands: self.commands, ..Effects::default() };
        for ((partition, source), events) in self.events {
            for some in events.chunks(MAX_EVENTS) {
                // Serialising events cannot fail: they hold only strings, numbers and times.
                let Ok(json) = serde_json::to_vec(some) else { continue };
                effects.publish(Stream::EventsThreshold, format!("{partition}.{source}"), Bytes::from(json));
            }
        }
        effects
    }
}

impl ChangeWriter<'_> {
    /// Starts an input message, read with the directory at this position.
    pub fn begin(&mut self, sequence: u64, es_position: u64) {
        self.origin = Origin { sequence, ordinal: 0 };
        self.es_position = es_position;
    }

    /// Adds the commands and events that follow from condition changes of an entity.
    pub fn write_changes(
        &mut self,
        directory: DirectoryView<'_>,
        observation: &Observation,
        changes: Vec<(RuleId, Change)>,
    ) {
        for (rule, change) in changes {
            if let Some(rule) = directory.rule(rule) {
                self.write_change(rule, observation, change);
            }
        }
    }

    fn write_change(&mut self, rule: &RuleEntry, observation: &Observation, change: Change) {
        let alarm = |episode| alarm_id(rule.rule, observation.entity.id(), episode);
        match change {
            Change::Raised { episode, started_at, raised_at, value, suppression } => {
                let (alarm, former) = (alarm(episode), episode.checked_sub(1).filter(|former| *former > 0).map(alarm));
                let times = BreachTimes { started_at, raised_at, episode };
                let breach = breach(rule, observation, times, value);
                self.push_command(observation, alarm, &["raise"], AlarmCommand::RaiseAlarm { breach, suppression });
                if let Some(former) = former {
                    self.push_command(observation, former, &["supersede"], AlarmCommand::SupersedeAlarm { by: alarm });
                }
                if suppression.is_none() {
                    let news = News { transition: Transition::ThresholdBreach, value: Some(value), at: raised_at };
                    self.push_event(rule, observation, alarm, rule.definition.severity, news);
                }
            }
            Change::Repeated { episode, repeats, value, at, suppression, announce, severity } => {
                let (alarm, number) = (alarm(episode), repeats.to_string());
                // A reopening is notified, unless the breach is notified as the first of its episode.
                let announce_reopening = suppression.is_none() && !announce;
                let repeat = AlarmCommand::RepeatAlarm { repeats, value, at, announce_reopening };
                self.push_command(observation, alarm, &["repeat", &number], repeat);
                if suppression.is_some() {
                    let step = ["suppress again", &number];
                    self.push_command(observation, alarm, &step, AlarmCommand::SuppressAlarm { suppression });
                }
                if announce {
                    let news = News { transition: Transition::ThresholdBreach, value: Some(value), at };
                    self.push_event(rule, observation, alarm, severity.unwrap_or(rule.definition.severity), news);
                }
            }
            Change::SuppressionChanged { episode, suppression, announce, at, severity } => {
                let alarm = alarm(episode);
                // Several changes may have the same time, so the time alone does not identify one.
                let step = ["suppress", &at.timestamp_micros().to_string(), &self.origin.sequence.to_string()];
                self.push_command(observation, alarm, &step, AlarmCommand::SuppressAlarm { suppression });
                if announce {
                    let news = News { transition: Transition::ThresholdBreach, value: None, at };
                    self.push_event(rule, observation, alarm, severity.unwrap_or(rule.definition.severity), news);
                }
            }
            Change::StartAmended { episode, started_at } => {
                let step = ["amend", &started_at.timestamp_micros().to_string()];
                self.push_command(observation, alarm(episode), &step, AlarmCommand::AmendAlarmStart { started_at });
            }
            Change::Ended { episode, repeats, value, at, announce, severity } => {
                let alarm = alarm(episode);
                let step = ["return", &repeats.to_string()];
                self.push_command(observation, alarm, &step, AlarmCommand::ReturnToNormal { repeats, value, at });
                if announce {
                    let news = News { transition: Transition::ReturnToNormal, value, at };
                    self.push_event(rule, observation, alarm, severity.unwrap_or(rule.definition.severity), news);
                }
            }
        }
    }

    /// Adds the event that a device went offline.
    pub fn write_offline(&mut self, offline: &WentOffline) {
        let session = offline.session.map(|session| session.to_string()).unwrap_or_default();
        let at = offline.at.timestamp_micros().to_string();
        let origin = self.next_origin();
        self.events.push(ThresholdEvent {
            event_id: derive(offline.device.0, &["offline", &session, &at]),
            origin,
            es_position: self.es_position,
            transition: Transition::DeviceOffline,
            organization: offline.organization,
            rule_id: None,
            rule_name: None,
            alarm_id: None,
            entity_type: EntityKind::Device,
            entity_id: offline.device.0,
            severity: Severity::default(),
            metric_key: None,
            value: None,
            reason: offline.reason.clone(),
            action: None,
            measured_at: offline.at,
            received_at: offline.at,
        });
    }

    fn push_command(&mut self, observation: &Observation, id: AlarmId, step: &[&str], command: AlarmCommand) {
        let command_id = derive(id.0, step);
        self.commands.push(Command::Alarm { organization: observation.organization, id, command_id, command });
    }

    fn push_event(
        &mut self,
        rule: &RuleEntry,
        observation: &Observation,
        alarm: AlarmId,
        severity: Severity,
        News { transition, value, at: measured_at }: News,
    ) {
        let origin = self.next_origin();
        self.events.push(ThresholdEvent {
            event_id: event_id(alarm, transition),
            origin,
            es_position: self.es_position,
            transition,
            organization: observation.organization,
            rule_id: Some(rule.rule),
            rule_name: Some(rule.definition.name.clone()),
            alarm_id: Some(alarm),
            entity_type: entity_kind(rule, observation),
            entity_id: observation.entity.id(),
            severity,
            metric_key: Some(rule.definition.metric_key.clone()),
            value,
            reason: None,
            action: Some(rule.definition.action.clone()),
            measured_at,
            received_at: observation.received_at,
        });
    }

    fn next_origin(&mut self) -> Origin {
        let origin = self.origin;
        self.origin.ordinal += 1;
        origin
    }
}

fn event_id(alarm: AlarmId, transition: Transition) -> Uuid {
    derive(
        alarm.0,
        &[match transition {
            Transition::ThresholdBreach => "breach",
            Transition::ReturnToNormal => "return",
            Transition::DeviceOffline => "offline",
        }],
    )
}

fn entity_kind(rule: &RuleEntry, observation: &Observation) -> EntityKind {
    match observation.entity {
        super::input::Entity::Device(_) => EntityKind::Device,
        super::input::Entity::Asset(_) => rule.definition.entity_type,
    }
}

/// A transition to tell, with its value and time.
struct News {
    transition: Transition,
    value: Option<f64>,
    at: DateTime<Utc>,
}

/// When a breach started and was raised, and which episode of the rule and entity it is.
struct BreachTimes {
    started_at: DateTime<Utc>,
    raised_at: DateTime<Utc>,
    episode: u64,
}

/// Describes a breach for the alarm: the rule as it was, the entity, and the value that raised it.
fn breach(rule: &RuleEntry, observation: &Observation, times: BreachTimes, value: f64) -> Breach {
    Breach {
        rule_id: rule.rule,
        rule_name: rule.definition.name.clone(),
        entity_type: entity_kind(rule, observation),
        entity_id: observation.entity.id(),
        metric_key: rule.definition.metric_key.clone(),
        condition: Box::new(rule.definition.condition.clone()),
        severity: rule.definition.severity,
        value,
        started_at: times.started_at,
        raised_at: times.raised_at,
        episode: times.episode,
    }
}
