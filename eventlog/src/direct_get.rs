//! JetStream direct gets that async-nats has no method for: many messages of one subject, or the last message of each
//! of many subjects, in one request (NATS ADR-31). Any replica may answer, so results can be slightly stale.

use std::time::Duration;

use async_nats::StatusCode;
use bytes::Bytes;
use futures_util::StreamExt;
use serde::Serialize;
use tokio::time::timeout;

use crate::connection::Log;
use crate::message::{Headers, Message};
use crate::streams::Stream;

/// How many messages one request returns at most.
const PAGE: u32 = 256;

/// Why a direct get failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request could not be sent.
    #[error("cannot request messages of {0}")]
    Request(String, #[source] Box<dyn std::error::Error + Send + Sync>),
    /// The reply did not arrive in time, or was incomplete.
    #[error("{0} did not answer in time")]
    Unanswered(String),
    /// The server refused the request.
    #[error("{stream} refused a direct get: {status} {description}")]
    Refused {
        /// The stream's full name.
        stream: String,
        /// The status code.
        status: u16,
        /// The server's description.
        description: String,
    },
    /// A reply lacks its sequence header.
    #[error("{0} sent a message without a sequence")]
    Malformed(String),
}

/// One message of a reply, with its full subject.
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
    /// Returns every message on a subject (wildcards allowed) from a sequence on, in stream order. All of them are held
    /// in memory, so it is meant for the tail of one aggregate, not for whole streams.
    pub async fn read_subject(&self, stream: Stream, subject_tail: &str, from: u64) -> Result<Vec<Message>, Error> {
        let (name, subject) = (self.stream_name(stream), self.subject(stream, subject_tail));
        let mut all: Vec<Message> = Vec::new();
        let mut next = from.max(1);
        loop {
            let request =
                Request { seq: Some(next), batch: Some(PAGE), next_by_subj: Some(&subject), ..Request::default() };
            let (page, pending) = send(self, &name, &request).await?;
            let Some(last) = page.last() else { return Ok(all) };
            next = last.sequence + 1;
            all.extend(page.into_iter().map(|message| self.as_message(stream, message)));
            if pending == 0 {
                return Ok(all);
            }
        }
    }

    /// Returns the last message of every matching subject, given a stream's full name and full subjects.
    pub(crate) async fn last_of_each(&self, name: &str, subjects: &[String]) -> Result<Vec<DirectMessage>, Error> {
        let request = Request { multi_last: Some(subjects), ..Request::default() };
        Ok(send(self, name, &request).await?.0)
    }

    fn as_message(&self, stream: Stream, direct: DirectMessage) -> Message {
        let published = direct.headers.get("Nats-Time-Stamp").and_then(|at| at.parse().ok());
        Message {
            stream,
            subject: self.settings().unprefixed(&direct.subject).to_owned(),
            sequence: direct.sequence,
            published_at: published.unwrap_or_default(),
            headers: direct.headers,
            payload: direct.payload,
        }
    }
}

/// Sends one request; returns the messages and how many more are pending.
async fn send(log: &Log, name: &str, request: &Request<'_>) -> Result<(Vec<DirectMessage>, u64), Error> {
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| Error::Request(name.to_owned(), error);
    let body = serde_json::to_vec(request).map_err(|error| failed(Box::new(error)))?;
    let inbox = log.client().new_inbox();
    // Subscribe before publishing, so that no reply is missed.
    let mut answers = log.client().subscribe(inbox.clone()).await.map_err(|error| failed(Box::new(error)))?;
    let sent = log.client().publish_with_reply(format!("$JS.API.DIRECT.GET.{name}"), inbox, body.into()).await;
    sent.map_err(|error| failed(Box::new(error)))?;
    let mut messages = Vec::new();
    loop {
        let answer = timeout(wait(log), answers.next()).await.ok().flatten();
        let answer = answer.ok_or_else(|| Error::Unanswered(name.to_owned()))?;
        match answer.status {
            None => messages.push(parse(name, answer)?),
            Some(StatusCode::NOT_FOUND) => return Ok((messages, 0)),
            // 204 ends a batch (NATS ADR-31).
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

fn parse(name: &str, answer: async_nats::Message) -> Result<DirectMessage, Error> {
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
