//! Messages of the dead-letter stream, and decisions about them, into rows. Pure.

use chrono::{DateTime, Utc};
use domain::AnyEvent;
use domain::dead_letter::{SettledLetterEvent, id_of};
use domain::telemetry::DeadLetter;
use eventlog::Message;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::decoded_event::{DecodedEvent, Unreadable};

/// A letter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LetterRow {
    /// Which letter.
    pub id: Uuid,
    /// Its organisation, where it is known.
    pub organization_id: Option<Uuid>,
    /// Who refused it.
    pub stage: String,
    /// Why: a code, or the words of a reader that could not read it.
    pub reason: String,
    /// What exactly, for people.
    pub detail: String,
    /// Topic or subject it came on.
    pub subject: String,
    /// Its device, where it is known.
    pub device_id: Option<Uuid>,
    /// When it arrived; of a message between stages, when that was published.
    pub received_at: DateTime<Utc>,
    /// Its payload as text, or as `base64:…`; cut.
    pub payload: String,
}

/// What was decided about a letter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SettledRow {
    /// Which letter.
    pub id: Uuid,
    /// `redriven` or `discarded`.
    pub status: String,
    /// When.
    pub settled_at: DateTime<Utc>,
    /// By whom.
    pub settled_by: String,
    /// Why.
    pub comment: Option<String>,
}

/// What a reader of the log wrote of a message that it could not read.
#[derive(Deserialize)]
struct Buried {
    stage: String,
    reason: String,
    stream: String,
    subject: String,
    sequence: u64,
    published_at: DateTime<Utc>,
    payload: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Letters {
    OfDevices(Vec<DeadLetter>),
    OfReader(Buried),
}

/// Reads the letters of a message: those of devices are packed, those of readers come alone.
pub fn letters_of(message: &Message) -> Result<Vec<LetterRow>, Unreadable> {
    let read = serde_json::from_slice(&message.payload).map_err(|error| Unreadable(error.to_string()))?;
    Ok(match read {
        Letters::OfDevices(letters) => {
            let places = letters.into_iter().enumerate();
            places.map(|(place, letter)| of_device(id_of(message.sequence, place), letter)).collect()
        }
        Letters::OfReader(buried) => vec![of_reader(id_of(message.sequence, 0), buried)],
    })
}

fn of_device(id: Uuid, letter: DeadLetter) -> LetterRow {
    LetterRow {
        id,
        organization_id: letter.organization.map(|organization| organization.0),
        stage: clean(letter.stage),
        reason: clean(letter.reason),
        detail: clean(letter.detail),
        subject: clean(letter.subject),
        device_id: letter.device.map(|device| device.0),
        received_at: letter.received_at,
        payload: clean(letter.payload),
    }
}

fn of_reader(id: Uuid, buried: Buried) -> LetterRow {
    LetterRow {
        id,
        organization_id: None,
        stage: clean(buried.stage),
        reason: "unreadable".to_owned(),
        detail: clean(format!("{} (message {} of {})", buried.reason, buried.sequence, buried.stream)),
        subject: clean(buried.subject),
        device_id: None,
        received_at: buried.published_at,
        payload: clean(buried.payload),
    }
}

/// PostgreSQL's text has no NUL.
fn clean(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}

/// Returns the row of a decision.
pub fn settled(decoded: &DecodedEvent) -> Option<SettledRow> {
    let AnyEvent::DeadLetter(event) = &decoded.event else { return None };
    let (status, comment) = match event {
        SettledLetterEvent::DeadLetterRedriven { .. } => ("redriven", None),
        SettledLetterEvent::DeadLetterDiscarded { comment } => ("discarded", comment.clone()),
    };
    Some(SettledRow {
        id: decoded.id,
        status: status.to_owned(),
        settled_at: decoded.recorded_at(),
        settled_by: decoded.actor(),
        comment,
    })
}
