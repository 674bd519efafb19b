//! The alarms of the reference platform: one rule that watches one entity for values above a limit.

use super::history::{Edit, FIRST_COOLDOWN, FIRST_LIMIT};
use super::model::Micros;

/// An alarm.
#[derive(Clone, Debug)]
pub struct Alarm {
    pub name: String,
    pub severity: String,
    pub value: f64,
    pub raised_at: Micros,
    /// Times at which the breach may have begun: when it was raised, and the times of late breaches before that.
    pub starts: Vec<Micros>,
    pub end: Option<End>,
    pub repeats: i64,
    pub acknowledged: bool,
    /// Whether somebody has ever dismissed it.
    pub dismissed: bool,
    /// `dismissed` or `superseded`.
    pub closed: Option<&'static str>,
}

/// What ended a breach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum End {
    /// A value, measured at this time.
    Value(Micros, f64),
    /// An edit of the rule; the platform's clock says when.
    Edit,
}

/// A rule on its entity.
pub struct Watch {
    name: String,
    severity: String,
    limit: f64,
    cooldown: Micros,
    is_active: bool,
    /// Whether limit or activity have changed since the rule last judged.
    has_new_terms: bool,
    /// The newest value: the one with the greatest time and, of equal times, the last to arrive.
    newest: Option<(Micros, f64)>,
    /// When the last alarm was raised, from which the cooldown counts; an edit of what is judged forgets it.
    cools_from: Option<Micros>,
    pub alarms: Vec<Alarm>,
}

impl Default for Watch {
    fn default() -> Self {
        Self {
            name: "Too high".to_owned(),
            severity: "high".to_owned(),
            limit: FIRST_LIMIT,
            cooldown: i64::from(FIRST_COOLDOWN) * 1_000_000,
            is_active: true,
            has_new_terms: false,
            newest: None,
            cools_from: None,
            alarms: Vec::new(),
        }
    }
}

impl Watch {
    /// Takes a value: late ones change nothing but the start of a breach, repeated ones nothing at all.
    pub fn observe(&mut self, at: Micros, value: f64) {
        if !self.is_active && self.newest.is_none() {
            // A rule begins to watch with the first value that it judges.
            return;
        }
        let is_late = self.newest.is_some_and(|(newest, _)| at < newest);
        if is_late {
            if value > self.limit
                && let Some(alarm) = self.alarms.last_mut()
            {
                alarm.starts.push(at);
            }
            return;
        }
        if self.newest == Some((at, value)) {
            return;
        }
        self.newest = Some((at, value));
        if self.is_active {
            self.judge(at, value);
        }
    }

    fn judge(&mut self, at: Micros, value: f64) {
        let recurs = self.cools_from.is_some_and(|raised_at| at - raised_at < self.cooldown);
        match (value > self.limit, self.alarms.last_mut()) {
            (false, Some(alarm)) if alarm.end.is_none() => alarm.end = Some(End::Value(at, value)),
            (true, Some(alarm)) if alarm.end.is_none() => {}
            (true, Some(alarm)) if recurs => {
                alarm.end = None;
                alarm.repeats += 1;
                // A breach after the value was normal is news: a dismissed alarm opens again, as a new one would be.
                alarm.acknowledged &= alarm.closed.is_none();
                alarm.closed = None;
            }
            (true, _) => self.raise(at, value),
            (false, _) => {}
        }
    }

    fn raise(&mut self, at: Micros, value: f64) {
        // Nothing is left to supersede where nobody has anything left to do.
        if let Some(former) = self.alarms.last_mut().filter(|former| former.closed.is_none() && !former.acknowledged) {
            former.closed = Some("superseded");
        }
        self.cools_from = Some(at);
        self.alarms.push(Alarm {
            name: self.name.clone(),
            severity: self.severity.clone(),
            value,
            raised_at: at,
            starts: vec![at],
            end: None,
            repeats: 0,
            acknowledged: false,
            dismissed: false,
            closed: None,
        });
    }

    /// Changes the rule. An edit of what is judged ends an active alarm if the newest value no longer breaches. A paused
    /// rule judges nothing.
    pub fn edit(&mut self, edit: &Edit) {
        let before = (self.limit, self.is_active);
        match edit {
            Edit::Limit(limit) => self.limit = *limit,
            Edit::Severity(severity) => self.severity = (*severity).to_owned(),
            Edit::Name(name) => self.name = (*name).to_owned(),
            Edit::Cooldown(seconds) => self.cooldown = i64::from(*seconds) * 1_000_000,
            Edit::Active(is_active) => self.is_active = *is_active,
        }
        self.has_new_terms |= before != (self.limit, self.is_active);
        if self.is_active && std::mem::take(&mut self.has_new_terms) {
            self.judge_anew();
        }
    }

    fn judge_anew(&mut self) {
        let breaches = self.newest.is_some_and(|(_, value)| value > self.limit);
        match self.alarms.last_mut().filter(|alarm| alarm.end.is_none()) {
            Some(_) if breaches => return,
            Some(alarm) => alarm.end = Some(End::Edit),
            None => {}
        }
        self.cools_from = None;
    }

    /// Acknowledges the newest alarm.
    pub fn acknowledge(&mut self) {
        if let Some(alarm) = self.alarms.last_mut() {
            alarm.acknowledged = true;
        }
    }

    /// Dismisses the newest alarm.
    pub fn dismiss(&mut self) {
        if let Some(alarm) = self.alarms.last_mut() {
            (alarm.dismissed, alarm.closed) = (true, Some("dismissed"));
        }
    }
}

impl Alarm {
    /// Returns the state that people see.
    pub fn state(&self) -> &'static str {
        match (self.closed, self.acknowledged, self.end) {
            (Some(_), ..) => "closed",
            (None, false, None) => "active_unacknowledged",
            (None, true, None) => "active_acknowledged",
            (None, false, Some(_)) => "returned_unacknowledged",
            (None, true, Some(_)) => "normal",
        }
    }

    /// Returns whether it needs attention.
    pub fn is_open(&self) -> bool {
        self.closed.is_none() && (self.end.is_none() || !self.acknowledged)
    }
}
