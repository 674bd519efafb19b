//! Converts messages of the dead-letter stream, and decisions about them, to rows. Pure.

use chrono::{DateTime, Utc};
use domain::AnyEvent;
use domain::dead_letter::{SettledLetterEvent, id_of};
use domain::telemetry::DeadLetter;
use eventlog::Message;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::decoded_event::{DecodedEvent, Unreadable};

/// A dead letter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LetterRow {
    /// Its id.
    pub id: Uuid,
    /// Its organisation, if known.
    pub organization_id: Option<Uuid>,
    /// The stage that rejected it.
    pub stage: String,
    /// The reason, as a code.
    pub reason: String,
    /// The details, as text.
    pub detail: String,
    /// The topic or subject that it was received on.
    pub subject: String,
    /// Its device, if known.
    pub device_id: Option<Uuid>,
    /// When it was received; for a message between stages, when it was published.
    pub received_at: DateTime<Utc>,
    /// Its payload as text, or as `base64:…`; truncated.
    pub payload: String,
}

/// A decision about a dead letter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SettledRow {
    /// The letter.
    pub id: Uuid,
    /// `redriven` or `discarded`.
    pub status: String,
    /// When it was decided.
    pub settled_at: DateTime<Utc>,
    /// The actor who decided.
    pub settled_by: String,
    /// The comment, if any.
    pub comment: Option<String>,
}

/// What a consumer of the log publishes about a message that it cannot read.
#[derive(Deserialize)]
struct UnreadableMessage {
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
enum Payload {
    OfDevices(Vec<DeadLetter>),
    OfConsumer(UnreadableMessage),
}

/// Parses the letters of a message: letters about device messages are packed, those of consumers come singly.
pub fn letters_of(message: &Message) -> Result<Vec<LetterRow>, Unreadable> {
    let read = serde_json::from_slice(&message.payload).map_err(|error| Unreadable(error.to_string()))?;
    Ok(match read {
        Payload::OfDevices(letters) => {
            let places = letters.into_iter().enumerate();
            places.map(|(place, letter)| of_device(id_of(message.sequence, place), letter)).collect()
        }
        Payload::OfConsumer(unreadable) => vec![of_consumer(id_of(message.sequence, 0), unreadable)],
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

fn of_consumer(id: Uuid, unreadable: UnreadableMessage) -> LetterRow {
    LetterRow {
        id,
        organization_id: None,
        stage: clean(unreadable.stage),
        reason: "unreadable".to_owned(),
        detail: clean(format!("{} (message {} of {})", unreadable.reason, unreadable.sequence, unreadable.stream)),
        subject: clean(unreadable.subject),
        device_id: None,
        received_at: unreadable.published_at,
        payload: clean(unreadable.payload),
    }
}

/// Replaces NUL, which PostgreSQL's `text` cannot store, by U+FFFD.
fn clean(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}

/// Returns the row of a decision; `None` for other events.
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
