//! Passes items to the pipeline and waits for their outcome. Each item is stored as a reading or a dead letter; it
//! counts as stored once it is on disk. If that takes too long, the outcome is unknown.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use domain::ids::DeviceId;
use domain::telemetry::{IngestionSource, RawReading};
use tokio::time::timeout;

use super::authenticate::Sender;
use crate::pipeline::mailbox::{Mailbox, Receipt};
use crate::pipeline::refusal::Refusal;
use crate::pipeline::{Closed, RefusedMessage};
use crate::shared::Shared;

/// One item with its admission decision.
pub struct Item {
    /// The payload, unchanged.
    pub payload: Bytes,
    /// The device that the item belongs to.
    pub device: DeviceId,
    /// The number of its readings, or why it is refused.
    pub checked: Result<usize, Refusal>,
}

/// Stores the items and returns for each whether it is known to be on disk, in the log or the dead letters.
pub async fn deliver(shared: &Shared, sender: Sender, path: &str, items: &[Item], within: Duration) -> Vec<bool> {
    let mailbox = Arc::new(Mailbox::default());
    let mut stored = vec![false; items.len()];
    let storing = async {
        let received_at = (shared.clock)();
        for (item, ticket) in items.iter().zip(0..) {
            let receipt = Receipt { mailbox: mailbox.clone(), ticket };
            if push(shared, sender, path, item, received_at, receipt).await.is_err() {
                return;
            }
        }
        while !collect(&mailbox, &mut stored) {
            mailbox.notified().await;
        }
    };
    // Even after a timeout, collect what has been stored.
    let _ = timeout(within, storing).await;
    collect(&mailbox, &mut stored);
    stored
}

async fn push(
    shared: &Shared,
    sender: Sender,
    path: &str,
    item: &Item,
    received_at: DateTime<Utc>,
    receipt: Receipt,
) -> Result<(), Closed> {
    let (organization, device) = (sender.organization, item.device);
    match &item.checked {
        Ok(readings) => {
            let (payload, source) = (item.payload.clone(), IngestionSource::Http);
            let reading = RawReading { organization, device, received_at, source, payload };
            shared.pipeline.accept(reading, *readings, Some(receipt)).await
        }
        Err(why) => {
            let (organization, device) = (Some(organization), Some(device));
            let refused =
                RefusedMessage { organization, device, topic: path.as_bytes(), payload: &item.payload, received_at };
            shared.pipeline.refuse(&refused, why, Some(receipt)).await
        }
    }
}

/// Marks what has been stored; returns whether there is nothing left to wait for.
fn collect(mailbox: &Mailbox, stored: &mut [bool]) -> bool {
    let mut tickets = Vec::new();
    let failed = mailbox.collect(&mut tickets);
    tickets.into_iter().filter_map(|ticket| usize::try_from(ticket).ok()).for_each(|ticket| stored[ticket] = true);
    failed || stored.iter().all(|stored| *stored)
}
