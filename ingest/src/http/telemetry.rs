//! The two telemetry endpoints: one payload, and a batch of payloads.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use poem::http::StatusCode;
use poem::{IntoResponse, Request, Response};
use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;
use tokio::io::AsyncReadExt;
use tokio::time::timeout;

use super::authenticate::{Sender, authenticate};
use super::deliver::{Item, deliver};
use super::door::HttpDoor;
use super::item_owner::{may_send_for, named_device, status};
use super::problem::Problem;
use super::server::Peer;
use crate::pipeline::refusal::Refusal;

/// How long the body of a request may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes beyond the limit that are read and discarded.
const MAX_EXCESS_BYTES: usize = 4 << 20;
/// Bytes read at a time from these.
const READ_BYTES: usize = 16 * 1024;

/// The outcome of one batch item.
#[derive(Serialize)]
struct Outcome {
    index: usize,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<Cow<'static, str>>,
}

/// Accepts one payload: a reading, or an array of readings of one device.
pub async fn single(door: &HttpDoor, peer: &Peer, mut request: Request) -> Result<Response, Problem> {
    let sender = authenticate(&door.shared, peer, &request).await?;
    door.count(sender.device, 1)?;
    let most = door.shared.limits.max_packet_bytes;
    let (payload, bytes) = body(&mut request, most).await?;
    let item = if bytes > most {
        Item { payload, device: sender.device, checked: Err(Refusal::Oversize { bytes, allowed: most }) }
    } else {
        check_item_with_catch_up(door, sender, payload).await
    };
    let stored = deliver(&door.shared, sender, request.uri().path(), std::slice::from_ref(&item), door.answer_within);
    match (stored.await.as_slice(), &item.checked) {
        ([true], Ok(_)) => Ok(answer(StatusCode::ACCEPTED, &json!({"accepted": 1}))),
        ([true], Err(why)) => Err(refused(why)),
        _ => Err(Problem::outcome_unknown()),
    }
}

/// Accepts an array of payloads. Each belongs to the sender or, from a gateway, to the device that its `deviceId`
/// names.
pub async fn batch(door: &HttpDoor, peer: &Peer, mut request: Request) -> Result<Response, Problem> {
    let sender = authenticate(&door.shared, peer, &request).await?;
    // Count a batch as one message before reading it, so that empty or malformed ones are rate limited as well.
    door.count(sender.device, 1)?;
    let most = door.max_batch_bytes;
    let (payload, bytes) = body(&mut request, most).await?;
    if bytes > most {
        return Err(
            Problem::too_large(format!("the batch exceeds {most} bytes; send smaller ones")).with_reason("oversize")
        );
    }
    let items = split(&payload, door.max_batch_items)?;
    door.count(sender.device, items.len() as u32 - 1)?;
    let mut checked = Vec::with_capacity(items.len());
    let mut caught_up = false;
    for payload in items {
        let mut item = check_item(door, sender, payload);
        // Catch up with the log at most once per request.
        if matches!(item.checked, Err(Refusal::UnknownDevice | Refusal::NotAGateway))
            && !std::mem::replace(&mut caught_up, true)
        {
            door.shared.catch_up().await;
            item = check_item(door, sender, item.payload);
        }
        checked.push(item);
    }
    let stored = deliver(&door.shared, sender, request.uri().path(), &checked, door.answer_within).await;
    if stored.iter().all(|stored| !stored) {
        return Err(Problem::outcome_unknown());
    }
    let outcomes: Vec<_> =
        checked.iter().zip(stored).enumerate().map(|(index, (item, stored))| outcome(index, item, stored)).collect();
    let accepted = outcomes.iter().filter(|outcome| outcome.status == StatusCode::ACCEPTED.as_u16()).count();
    let overall = if accepted == outcomes.len() { StatusCode::ACCEPTED } else { StatusCode::MULTI_STATUS };
    Ok(answer(overall, &json!({"accepted": accepted, "results": outcomes})))
}

/// Checks a payload. If it is refused because of what the directory may not know yet, catches up with the log and
/// checks it again.
async fn check_item_with_catch_up(door: &HttpDoor, sender: Sender, payload: Bytes) -> Item {
    let item = check_item(door, sender, payload);
    if !matches!(item.checked, Err(Refusal::UnknownDevice | Refusal::NotAGateway)) {
        return item;
    }
    door.shared.catch_up().await;
    check_item(door, sender, item.payload)
}

fn check_item(door: &HttpDoor, sender: Sender, payload: Bytes) -> Item {
    let (bytes, allowed) = (payload.len(), door.shared.limits.max_packet_bytes);
    if bytes > allowed {
        return Item { payload, device: sender.device, checked: Err(Refusal::Oversize { bytes, allowed }) };
    }
    let (named, checked) = match named_device(sender, &payload) {
        Ok(named) => (named, may_send_for(&door.shared, sender, named)),
        Err(refusal) => (sender.device, Err(refusal)),
    };
    // A dead letter names the device of its item, so that redriven it is not taken for a reading of the gateway. A sender
    // that is no gateway vouches only for itself.
    let device = if checked == Err(Refusal::NotAGateway) { sender.device } else { named };
    let checked = checked.and_then(|()| door.shared.pipeline.check(sender.organization, device, &payload));
    Item { payload, device, checked }
}

/// Reads a body. An oversize body is read and discarded up to `MAX_EXCESS_BYTES`: many clients read the answer only
/// after sending everything. Returns the kept bytes and the number of bytes read.
async fn body(request: &mut Request, most: usize) -> Result<(Bytes, usize), Problem> {
    let mut reader = request.take_body().into_async_read();
    let reading = async {
        let (mut kept, mut discarded) = (BytesMut::new(), 0);
        loop {
            let read = if kept.len() <= most {
                reader.read_buf(&mut kept).await?
            } else {
                let mut excess = BytesMut::with_capacity(READ_BYTES);
                let read = reader.read_buf(&mut excess).await?;
                discarded += read;
                read
            };
            if read == 0 || discarded > MAX_EXCESS_BYTES {
                let bytes = kept.len() + discarded;
                return Ok::<_, std::io::Error>((kept.freeze(), bytes));
            }
        }
    };
    match timeout(BODY_TIMEOUT, reading).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(error)) => Err(Problem::malformed(format!("failed to read the request body: {error}"))),
        Err(_) => Err(Problem::new(
            "request-timeout",
            StatusCode::REQUEST_TIMEOUT,
            "The request took too long",
            "timed out reading the request body; nothing was stored",
        )),
    }
}

/// Splits a batch without parsing its items.
fn split(payload: &Bytes, most: usize) -> Result<Vec<Bytes>, Problem> {
    let items: Vec<&RawValue> = serde_json::from_slice(payload).map_err(|error| {
        Problem::malformed(format!("the batch is not a JSON array of payloads: {error}")).with_reason("malformed_json")
    })?;
    if items.is_empty() || items.len() > most {
        let detail = format!("a batch must have 1 to {most} items, not {}", items.len());
        return Err(Problem::new(
            "batch-size",
            StatusCode::UNPROCESSABLE_ENTITY,
            "The batch has no or too many items",
            detail,
        ));
    }
    Ok(items.into_iter().map(|item| payload.slice_ref(item.get().as_bytes())).collect())
}

fn outcome(index: usize, item: &Item, stored: bool) -> Outcome {
    let (status, reason, detail) = match (&item.checked, stored) {
        (Ok(_), true) => (StatusCode::ACCEPTED, None, None),
        (Err(why), true) => (status(why), Some(why.code()), Some(why.detail())),
        (_, false) => {
            let detail = "the log did not confirm in time; send the item again".into();
            (StatusCode::SERVICE_UNAVAILABLE, Some("outcome_unknown"), Some(detail))
        }
    };
    Outcome { index, status: status.as_u16(), reason, detail }
}

fn refused(why: &Refusal) -> Problem {
    let detail = why.detail();
    let problem = match (status(why), why) {
        (StatusCode::NOT_FOUND, _) => Problem::new("not-found", StatusCode::NOT_FOUND, "Not found", detail),
        (StatusCode::FORBIDDEN, _) => Problem::forbidden(detail),
        (StatusCode::PAYLOAD_TOO_LARGE, _) => Problem::too_large(detail),
        (StatusCode::BAD_REQUEST, _) => Problem::malformed(detail),
        (status, _) => Problem::new("refused-telemetry", status, "The telemetry is refused", detail),
    };
    problem.with_reason(why.code())
}

fn answer(status: StatusCode, body: &serde_json::Value) -> Response {
    Response::builder().status(status).content_type("application/json").body(body.to_string()).into_response()
}

/// Returns a `Retry-After` value for `resume_at`: the whole seconds until then plus one, so that it is never too short.
pub fn seconds_until(resume_at: Instant, now: Instant) -> u64 {
    resume_at.saturating_duration_since(now).as_secs() + 1
}
