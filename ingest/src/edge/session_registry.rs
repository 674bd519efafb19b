//! The live sessions of this edge, one per device. Other tasks end them through it: take-over, lost authorisation,
//! shutdown.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use certs::Identity;
use dashmap::DashMap;
use domain::ids::{DeviceId, OrganizationId, SessionId};
use tokio::sync::Notify;

use super::rate_limit::Throttle;
use super::session_end::SessionEnd;
use crate::pipeline::mailbox::Mailbox;

/// A live session as seen by other tasks.
#[derive(Debug)]
pub struct SessionHandle {
    /// Its id.
    pub session: SessionId,
    /// The certificate it authenticated with.
    pub identity: Identity,
    /// Where the outcome of its messages arrives.
    pub mailbox: Arc<Mailbox>,
    end: OnceLock<SessionEnd>,
    ended: Notify,
}

impl SessionHandle {
    /// Creates the handle of a session about to begin.
    pub fn new(session: SessionId, identity: Identity) -> Arc<Self> {
        Arc::new(Self { session, identity, mailbox: Arc::default(), end: OnceLock::new(), ended: Notify::new() })
    }

    /// Returns its device.
    pub fn device(&self) -> DeviceId {
        DeviceId(self.identity.device)
    }

    /// Ends the session; the first reason counts.
    pub fn end(&self, why: SessionEnd) {
        if self.end.set(why).is_ok() {
            self.ended.notify_one();
        }
    }

    /// Waits until the session is ended by another task. Only the session itself may wait.
    pub async fn ended(&self) -> SessionEnd {
        loop {
            if let Some(why) = self.end.get() {
                return *why;
            }
            self.ended.notified().await;
        }
    }
}

/// The live sessions by device.
#[derive(Debug, Default)]
#[allow(clippy::len_without_is_empty, reason = "only a number for the log")]
pub struct SessionRegistry {
    live: DashMap<DeviceId, Arc<SessionHandle>>,
    /// Rate limit states of devices that disconnected, so that a reconnect does not refill the bucket.
    throttles: DashMap<DeviceId, Throttle>,
}

impl SessionRegistry {
    /// Registers a session and ends the one it takes over from.
    pub fn insert(&self, handle: &Arc<SessionHandle>) {
        if let Some(before) = self.live.insert(handle.device(), handle.clone()) {
            before.end(SessionEnd::TakenOver);
        }
    }

    /// Removes a session unless another one has taken over.
    pub fn remove(&self, handle: &SessionHandle) {
        self.live.remove_if(&handle.device(), |_, current| current.session == handle.session);
    }

    /// Returns the live session of a device.
    pub fn of_device(&self, device: DeviceId) -> Option<Arc<SessionHandle>> {
        self.live.get(&device).map(|handle| handle.clone())
    }

    /// Returns the live sessions of an organisation.
    pub fn of_organization(&self, organization: OrganizationId) -> Vec<Arc<SessionHandle>> {
        let of = |handle: &Arc<SessionHandle>| handle.identity.organization == organization.0;
        self.live.iter().filter(|entry| of(entry.value())).map(|entry| entry.value().clone()).collect()
    }

    /// Returns all live sessions.
    pub fn all(&self) -> Vec<Arc<SessionHandle>> {
        self.live.iter().map(|entry| entry.value().clone()).collect()
    }

    /// Returns how many sessions are live.
    pub fn len(&self) -> usize {
        self.live.len()
    }

    /// Ends all sessions.
    pub fn end_all(&self, why: SessionEnd) {
        self.live.iter().for_each(|entry| entry.value().end(why));
    }

    /// Removes and returns the rate limit state of a device.
    pub fn take_throttle(&self, device: DeviceId, now: Instant) -> Throttle {
        self.throttles.remove(&device).map_or_else(|| Throttle::new(now), |(_, throttle)| throttle)
    }

    /// Keeps the rate limit state of a disconnecting device unless its bucket is full.
    pub fn keep_throttle(&self, device: DeviceId, throttle: Throttle, now: Instant) {
        if throttle.is_full(now) {
            return;
        }
        self.throttles.insert(device, throttle);
    }

    /// Drops the rate limit states whose buckets are full.
    pub fn forget_full_throttles(&self, now: Instant) {
        self.throttles.retain(|_, throttle| !throttle.is_full(now));
    }
}
