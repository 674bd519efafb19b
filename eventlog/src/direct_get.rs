//! Direct reads that async-nats has no method for: many messages of one subject, or the last of many subjects, in one
//! request (NATS ADR-31). Any replica may answer, so what is read can be a moment old.

use std::time::Duration;

use async_nats::StatusCode;
use bytes::Bytes;
use futures_util::StreamExt;
use serde::Serialize;
use tokio::time::timeout;

use crate::connection::Log;
use crate::message::{Headers, Message};
use crate::streams::Stream;

/// How many messages one request asks for.
const PAGE: u32 = 256;

/// Why a direct read failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request could not be sent.
    #[error("cannot ask {0} for messages")]
    Ask(String, #[source] Box<dyn std::error::Error + Send + Sync>),
    /// The answer did not come, or broke off.
    #[error("{0} did not answer in time")]
    Unanswered(String),
    /// The server refused the request.
    #[error("{stream} refused a direct read: {status} {description}")]
    Refused {
        /// The stream's full name.
        stream: String,
        /// The status code.
        status: u16,
        /// The server's words.
        description: String,
    },
    /// An answer lacks what every answer has.
    #[error("{0} sent a message without sequence")]
    Malformed(String),
}

/// One message of an answer, by its full subject.
#[derive(Clone, Debug)]
pub(crate) struct DirectMessage {
    pub subject: String,
    pub sequence: u64,
    pub headers: Headers,
    pub payload: Bytes,
}

#[derive(Serialize, Default)]
struct Request<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    batch: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_by_subj: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    multi_last: Option<&'a [String]>,
}

impl Log {
    /// Returns every message on a subject (wildcards allowed) from a sequence on, in stream order. It is meant for one
    /// aggregate's tail, not for whole streams: all of it is held in memory.
    pub async fn read_subject(&self, stream: Stream, subject_tail: &str, from: u64) -> Result<Vec<Message>, Error> {
        let (name, subject) = (self.stream_name(stream), self.subject(stream, subject_tail));
        let mut all: Vec<Message> = Vec::new();
        let mut next = from.max(1);
        loop {
            let request =
                Request { seq: Some(next), batch: Some(PAGE), next_by_subj: Some(&subject), ..Request::default() };
            let (page, pending) = ask(self, &name, &request).await?;
            let Some(last) = page.last() else { return Ok(all) };
            next = last.sequence + 1;
            all.extend(page.into_iter().map(|got| self.as_message(stream, got)));
            if pending == 0 {
                return Ok(all);
            }
        }
    }

    /// Returns the last message of every subject that matches, of any stream by its full name and full subjects.
    pub(crate) async fn last_of_each(&self, name: &str, subjects: &[String]) -> Result<Vec<DirectMessage>, Error> {
        let request = Request { multi_last: Some(subjects), ..Request::default() };
        Ok(ask(self, name, &request).await?.0)
    }

    fn as_message(&self, stream: Stream, got: DirectMessage) -> Message {
        let published = got.headers.get("Nats-Time-Stamp").and_then(|at| at.parse().ok());
        Message {
            stream,
            subject: self.settings().unprefixed(&got.subject).to_owned(),
            sequence: got.sequence,
            published_at: published.unwrap_or_default(),
            headers: got.headers,
            payload: got.payload,
        }
    }
}

/// Sends one request; returns the messages and how many more there are.
async fn ask(log: &Log, name: &str, request: &Request<'_>) -> Result<(Vec<DirectMessage>, u64), Error> {
    let refuse = |error: Box<dyn std::error::Error + Send + Sync>| Error::Ask(name.to_owned(), error);
    let body = serde_json::to_vec(request).map_err(|error| refuse(Box::new(error)))?;
    let inbox = log.client().new_inbox();
    let mut answers = log.client().subscribe(inbox.clone()).await.map_err(|error| refuse(Box::new(error)))?;
    let asked = log.client().publish_with_reply(format!("$JS.API.DIRECT.GET.{name}"), inbox, body.into()).await;
    asked.map_err(|error| refuse(Box::new(error)))?;
    let mut messages = Vec::new();
    loop {
        let answer = timeout(wait(log), answers.next()).await.ok().flatten();
        let answer = answer.ok_or_else(|| Error::Unanswered(name.to_owned()))?;
        match answer.status {
            None => messages.push(got(name, answer)?),
            Some(StatusCode::NOT_FOUND) => return Ok((messages, 0)),
            Some(status) if status.as_u16() == 204 => {
                let headers = Headers::from_map(answer.headers.unwrap_or_default());
                return Ok((messages, number(&headers, "Nats-Num-Pending").unwrap_or(0)));
            }
            Some(status) => {
                let description = answer.description.unwrap_or_default();
                return Err(Error::Refused { stream: name.to_owned(), status: status.as_u16(), description });
            }
        }
    }
}

fn got(name: &str, answer: async_nats::Message) -> Result<DirectMessage, Error> {
    let headers = Headers::from_map(answer.headers.unwrap_or_default());
    let sequence = number(&headers, "Nats-Sequence").ok_or_else(|| Error::Malformed(name.to_owned()))?;
    let subject = headers.get("Nats-Subject").unwrap_or_default().to_owned();
    Ok(DirectMessage { subject, sequence, headers, payload: answer.payload })
}

fn number(headers: &Headers, name: &'static str) -> Option<u64> {
    headers.get(name).and_then(|value| value.parse().ok())
}

fn wait(log: &Log) -> Duration {
    log.settings().request_timeout
}
