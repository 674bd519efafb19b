//! What follows from changes: commands to alarms, and threshold events in packs by partition.

use std::collections::BTreeMap;

use bytes::Bytes;
use domain::alarm::{AlarmCommand, Breach};
use domain::alarming::{Change, Severity, alarm_id};
use domain::directory::{DirectoryView, RuleEntry};
use domain::ids::{AlarmId, RuleId, derive};
use domain::rule::EntityKind;
use domain::telemetry::{Origin, ThresholdEvent, Transition};
use eventlog::Stream;
use uuid::Uuid;

use super::input::Seen;
use super::presence::Gone;
use crate::stage::{Command, Effects};

/// Most events of one message, some 700 bytes each.
const MAX_EVENTS: usize = 400;

/// What a batch adds up to.
#[derive(Default)]
pub struct Output {
    events: BTreeMap<(u16, u16), Vec<ThresholdEvent>>,
    commands: Vec<Command>,
}

/// The output of one partition from one source.
pub struct Lane<'o> {
    events: &'o mut Vec<ThresholdEvent>,
    commands: &'o mut Vec<Command>,
    origin: Origin,
    es_position: u64,
}

impl Output {
    /// Answers the lane of a partition and a source.
    pub fn lane(&mut self, partition: u16, source: u16) -> Lane<'_> {
        let events = self.events.entry((partition, source)).or_default();
        Lane { events, commands: &mut self.commands, origin: Origin::default(), es_position: 0 }
    }

    /// Turns events into messages and hands the commands over.
    pub fn effects(self) -> Effects {
        let mut effects = Effects { commands: self.commands, ..Effects::default() };
        for ((partition, source), events) in self.events {
            for some in events.chunks(MAX_EVENTS) {
                // An event is text, numbers and times; there is nothing in it that JSON cannot hold.
                let Ok(json) = serde_json::to_vec(some) else { continue };
                effects.publish(Stream::EventsThreshold, format!("{partition}.{source}"), Bytes::from(json));
            }
        }
        effects
    }
}

impl Lane<'_> {
    /// Begins with an input message, read with a directory of this position.
    pub fn begin(&mut self, sequence: u64, es_position: u64) {
        self.origin = Origin { sequence, ordinal: 0 };
        self.es_position = es_position;
    }

    /// Adds what follows from changes of rules' conditions on an entity.
    pub fn all(&mut self, directory: DirectoryView<'_>, seen: &Seen, changes: Vec<(RuleId, Change)>) {
        for (rule, change) in changes {
            if let Some(rule) = directory.rule(rule) {
                self.changed(rule, seen, change);
            }
        }
    }

    fn changed(&mut self, rule: &RuleEntry, seen: &Seen, change: Change) {
        let entity_type = rule_kind(rule, seen);
        let alarm = |episode| alarm_id(rule.rule, seen.entity.id(), episode);
        match change {
            Change::Raised { episode, started_at, raised_at, value, suppression } => {
                let (alarm, former) = (alarm(episode), episode.checked_sub(1).filter(|former| *former > 0).map(alarm));
                let breach = Breach {
                    rule_id: rule.rule,
                    rule_name: rule.definition.name.clone(),
                    entity_type,
                    entity_id: seen.entity.id(),
                    metric_key: rule.definition.metric_key.clone(),
                    condition: Box::new(rule.definition.condition.clone()),
                    severity: rule.definition.severity,
                    value,
                    started_at,
                    raised_at,
                    episode,
                };
                self.command(seen, alarm, &["raise"], AlarmCommand::RaiseAlarm { breach, suppression });
                if let Some(former) = former {
                    self.command(seen, former, &["supersede"], AlarmCommand::SupersedeAlarm { by: alarm });
                }
                if suppression.is_none() {
                    self.event(rule, seen, alarm, Transition::ThresholdBreach, Some(value), raised_at);
                }
            }
            Change::Repeated { episode, repeats, value, at, suppression, announce } => {
                let (alarm, number) = (alarm(episode), repeats.to_string());
                self.command(seen, alarm, &["repeat", &number], AlarmCommand::RepeatAlarm { repeats, value, at });
                if suppression.is_some() {
                    let step = ["suppress again", &number];
                    self.command(seen, alarm, &step, AlarmCommand::SuppressAlarm { suppression });
                }
                if announce {
                    self.event(rule, seen, alarm, Transition::ThresholdBreach, Some(value), at);
                }
            }
            Change::SuppressionChanged { episode, suppression, announce, at } => {
                let alarm = alarm(episode);
                let step = ["suppress", &at.timestamp_micros().to_string()];
                self.command(seen, alarm, &step, AlarmCommand::SuppressAlarm { suppression });
                if announce {
                    self.event(rule, seen, alarm, Transition::ThresholdBreach, None, at);
                }
            }
            Change::StartAmended { episode, started_at } => {
                let step = ["amend", &started_at.timestamp_micros().to_string()];
                self.command(seen, alarm(episode), &step, AlarmCommand::AmendAlarmStart { started_at });
            }
            Change::Ended { episode, repeats, value, at, announce } => {
                let alarm = alarm(episode);
                let step = ["return", &repeats.to_string()];
                self.command(seen, alarm, &step, AlarmCommand::ReturnToNormal { repeats, value, at });
                if announce {
                    self.event(rule, seen, alarm, Transition::ReturnToNormal, value, at);
                }
            }
        }
    }

    /// Adds that a device went offline.
    pub fn offline(&mut self, gone: &Gone) {
        let session = gone.session.map(|session| session.to_string()).unwrap_or_default();
        let at = gone.at.timestamp_micros().to_string();
        let origin = self.next_origin();
        self.events.push(ThresholdEvent {
            event_id: derive(gone.device.0, &["offline", &session, &at]),
            origin,
            es_position: self.es_position,
            transition: Transition::DeviceOffline,
            organization: gone.organization,
            rule_id: None,
            rule_name: None,
            alarm_id: None,
            entity_type: EntityKind::Device,
            entity_id: gone.device.0,
            severity: Severity::default(),
            metric_key: None,
            value: None,
            action: None,
            measured_at: gone.at,
            received_at: gone.at,
        });
    }

    fn command(&mut self, seen: &Seen, id: AlarmId, step: &[&str], command: AlarmCommand) {
        let command_id = derive(id.0, step);
        self.commands.push(Command::Alarm { organization: seen.organization, id, command_id, command });
    }

    fn event(
        &mut self,
        rule: &RuleEntry,
        seen: &Seen,
        alarm: AlarmId,
        transition: Transition,
        value: Option<f64>,
        measured_at: chrono::DateTime<chrono::Utc>,
    ) {
        let origin = self.next_origin();
        self.events.push(ThresholdEvent {
            event_id: event_id(alarm, transition),
            origin,
            es_position: self.es_position,
            transition,
            organization: seen.organization,
            rule_id: Some(rule.rule),
            rule_name: Some(rule.definition.name.clone()),
            alarm_id: Some(alarm),
            entity_type: rule_kind(rule, seen),
            entity_id: seen.entity.id(),
            severity: rule.definition.severity,
            metric_key: Some(rule.definition.metric_key.clone()),
            value,
            action: Some(rule.definition.action.clone()),
            measured_at,
            received_at: seen.received_at,
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

fn rule_kind(rule: &RuleEntry, seen: &Seen) -> EntityKind {
    match seen.entity {
        super::input::Entity::Device(_) => EntityKind::Device,
        super::input::Entity::Asset(_) => rule.definition.entity_type,
    }
}
