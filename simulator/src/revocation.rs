//! Measures how soon a certificate revocation ends a live session among many: one at a time, and in a burst.

use std::ops::Range;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde::Serialize;
use serde_json::json;
use tokio::sync::mpsc;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{interval, timeout};

use crate::api::Api;
use crate::fleet::{self, Plan};
use crate::mqtt;
use crate::provision::Provisioned;
use crate::session::{KEEP_ALIVE_SECONDS, Session};
use crate::stats::Latencies;
use crate::tls::Connector;

/// Live sessions.
pub const SESSIONS: u32 = 1_000;
/// Sessions revoked one at a time, and as many again in a burst.
pub const REVOKED: usize = 100;
/// Concurrent revocations in the burst.
const CONCURRENT_REVOCATIONS: usize = 4;
/// Longest time a session may outlive its revocation.
const DEADLINE: Duration = Duration::from_secs(30);

/// Milliseconds from the API's answer to the end of the session; 0 if the session ended before the answer.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Revocation {
    /// Median.
    pub p50_ms: f64,
    /// 95th percentile.
    pub p95_ms: f64,
    /// Maximum.
    pub max_ms: f64,
    /// 95th percentile of the burst.
    pub burst_p95_ms: f64,
}

/// Receives the index of each session that ended, and when.
type Ends = mpsc::UnboundedReceiver<(usize, Instant)>;

/// Connects devices and revokes the certificates of some of them.
pub async fn measure(api: &Api, mqtt: &str, tag: &str) -> anyhow::Result<Revocation> {
    let plan = Plan { mqtt: mqtt.to_owned(), devices: SESSIONS, rate: 1.0, burst: 1, metrics: 1 };
    let devices = fleet::provision(api, &plan, &format!("revoked-{tag}")).await?;
    let maker = api.clone();
    let root = spawn_blocking(move || maker.get_text("/pki/ca.pem")).await??;
    let (ended, mut ends) = mpsc::unbounded_channel();
    let mut sessions = JoinSet::new();
    for (index, device) in devices.iter().enumerate() {
        let session = open(device, &root, mqtt).await.with_context(|| format!("device {index}"))?;
        let ended = ended.clone();
        sessions.spawn(async move {
            hold(session).await;
            // The receiver is gone once all revoked sessions have ended.
            let _ = ended.send((index, Instant::now()));
        });
    }
    let (latencies, mut slowest) = (Latencies::default(), Duration::ZERO);
    for index in 0..REVOKED {
        let answered = revoke(api, &devices, index..index + 1).await?;
        let took = ended_after(&mut ends, &answered, index).await?;
        latencies.record(took);
        slowest = slowest.max(took);
    }
    let burst = Latencies::default();
    let answered = revoke(api, &devices, REVOKED..2 * REVOKED).await?;
    for _ in 0..REVOKED {
        burst.record(ended_after(&mut ends, &answered, REVOKED).await?);
    }
    ensure!(ends.is_empty(), "a session without a revoked certificate ended");
    sessions.abort_all();
    let [p50_ms, p95_ms] = [0.5, 0.95].map(|share| latencies.quantile_millis(share));
    Ok(Revocation { p50_ms, p95_ms, max_ms: slowest.as_secs_f64() * 1e3, burst_p95_ms: burst.quantile_millis(0.95) })
}

/// Revokes the certificates of some devices; returns when the API answered each request, in the order of the devices.
async fn revoke(api: &Api, devices: &[Provisioned], some: Range<usize>) -> anyhow::Result<Vec<Instant>> {
    let mut answered = Vec::new();
    for some in devices[some].chunks(CONCURRENT_REVOCATIONS) {
        let mut revoking = JoinSet::new();
        for (place, device) in some.iter().enumerate() {
            let (api, path) = (api.clone(), format!("/api/v1/devices/{}/certificate/revoke", device.id));
            let index = answered.len() + place;
            revoking.spawn_blocking(move || {
                api.post(&path, &json!({"reason": "benchmark"})).map(|_| (index, Instant::now()))
            });
        }
        while let Some(one) = revoking.join_next().await {
            answered.push(one??);
        }
    }
    answered.sort_unstable_by_key(|(index, _)| *index);
    Ok(answered.into_iter().map(|(_, at)| at).collect())
}

/// Waits for the next session to end and returns how long after the answer to its revocation that was. `answered[0]`
/// belongs to the session with index `first`.
async fn ended_after(ends: &mut Ends, answered: &[Instant], first: usize) -> anyhow::Result<Duration> {
    let (index, at) = timeout(DEADLINE, ends.recv())
        .await
        .context("a revoked session did not end")?
        .context("all sessions have ended")?;
    let answer = index.checked_sub(first).and_then(|place| answered.get(place));
    Ok(at.saturating_duration_since(*answer.context("a session without a revoked certificate ended")?))
}

async fn open(device: &Provisioned, root: &str, mqtt: &str) -> anyhow::Result<Session> {
    let (host, _) = mqtt.rsplit_once(':').context("the MQTT address must be host:port")?;
    let connector = Connector::new(device.chain_pem(), device.key_pem(), root, host)?;
    Session::open(&connector, mqtt, &device.id).await
}

/// Keeps a session alive until the server ends it.
async fn hold(mut session: Session) {
    let mut pings = interval(Duration::from_secs(u64::from(KEEP_ALIVE_SECONDS) / 2));
    loop {
        let alive = tokio::select! {
            read = session.read(|_| {}) => read,
            _ = pings.tick() => session.write(&mqtt::PINGREQ).await,
        };
        if alive.is_err() {
            return;
        }
    }
}
