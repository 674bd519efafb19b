//! Ends sessions at an EMQX broker through its management API when a device loses access. The event is folded first, so
//! that the hook already denies when the client reconnects. A failed request is retried for a while and finally logged
//! as an error.

use eventlog::error_chain;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use data_encoding::BASE64;
use domain::ids::DeviceId;
use hyper::header::AUTHORIZATION;
use metrics::counter;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, error};

use crate::config::{BrokerApi, InvalidApiUrl};
use crate::directory::{Affected, Directory};
use crate::http_request::{self, authority, send};
use crate::metric_names as names;

/// Attempts per kick.
const ATTEMPTS: u32 = 8;
/// Delay after the first attempt; it doubles with each attempt up to `LONGEST_PAUSE`.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// Longest delay between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// Concurrent kicks: a suspended organisation may have thousands of devices.
const MAX_CONCURRENT_KICKS: usize = 8;

/// Why a kick failed.
#[derive(Debug, thiserror::Error)]
enum KickError {
    #[error("the request to the broker's API failed")]
    Request(#[from] http_request::Error),
    #[error("the broker's API answered {0}; check emqx.api_key and emqx.api_secret")]
    Status(u16),
}

/// The sending side of the kicker, used by the fold.
#[derive(Clone, Debug)]
pub struct KickRequests(mpsc::UnboundedSender<Affected>);

impl KickRequests {
    /// Requests that the sessions of the affected devices be ended.
    pub fn request(&self, affected: Affected) {
        // The channel is closed only when the role stops.
        let _ = self.0.send(affected);
    }
}

/// Ends sessions at the broker.
pub struct Kicker {
    broker: Arc<Broker>,
    affected: mpsc::UnboundedReceiver<Affected>,
}

struct Broker {
    /// `host:port`.
    authority: String,
    authorization: String,
    permits: Semaphore,
}

impl Kicker {
    /// Returns the kicker and the handle to request kicks with.
    pub fn new(api: &BrokerApi) -> Result<(KickRequests, Self), InvalidApiUrl> {
        let authority =
            authority(&api.url).ok_or_else(|| InvalidApiUrl { setting: "emqx.api_url", url: api.url.clone() })?;
        let credentials = BASE64.encode(format!("{}:{}", api.key, api.secret.expose()).as_bytes());
        let authorization = format!("Basic {credentials}");
        let (to, affected) = mpsc::unbounded_channel();
        let broker = Arc::new(Broker { authority, authorization, permits: Semaphore::new(MAX_CONCURRENT_KICKS) });
        Ok((KickRequests(to), Self { broker, affected }))
    }

    /// Ends the sessions of all affected devices until the shutdown. After a restart the whole log is folded again, so
    /// that events during the outage are included.
    pub async fn run(mut self, directory: Arc<Directory>, shutdown: CancellationToken) {
        let kicks = TaskTracker::new();
        while let Some(Some(first)) = shutdown.run_until_cancelled(self.affected.recv()).await {
            // Drain the channel first, so that a device is kicked once per burst of events.
            let mut devices = BTreeSet::new();
            let mut next = Some(first);
            while let Some(affected) = next {
                match affected {
                    Affected::Device(device) => drop(devices.insert(device)),
                    Affected::Organization(organization) => devices.extend(directory.devices_of(organization)),
                }
                next = self.affected.try_recv().ok();
            }
            for device in devices {
                let (broker, shutdown) = (self.broker.clone(), shutdown.clone());
                kicks.spawn(async move { shutdown.run_until_cancelled(broker.kick(device)).await });
            }
        }
        kicks.close();
        kicks.wait().await;
    }
}

impl Broker {
    async fn kick(&self, device: DeviceId) {
        let mut pause = FIRST_PAUSE;
        for attempt in 1..=ATTEMPTS {
            // The permit is released before the pause, so that other kicks proceed.
            let failure = {
                // The semaphore is never closed.
                let _permit = self.permits.acquire().await.ok();
                match self.attempt(device).await {
                    Ok(()) => {
                        counter!(names::KICKS, "result" => "done").increment(1);
                        return;
                    }
                    Err(failure) => failure,
                }
            };
            if attempt == ATTEMPTS {
                counter!(names::KICKS, "result" => "given_up").increment(1);
                error!(%device, error = error_chain(&failure), "failed to end the broker session of a device that lost access");
            } else {
                debug!(%device, error = error_chain(&failure), attempt, "failed to end a broker session; retrying");
                sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }

    /// Sends one request; a client that the broker does not know is already gone.
    async fn attempt(&self, device: DeviceId) -> Result<(), KickError> {
        let request = hyper::Request::delete(format!("/api/v5/clients/{device}"));
        let (status, _) = send(&self.authority, request.header(AUTHORIZATION, &self.authorization)).await?;
        if matches!(status, 200..=299 | 404) { Ok(()) } else { Err(KickError::Status(status)) }
    }
}
