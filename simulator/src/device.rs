//! One simulated device: publishes on schedule, keeps unacknowledged messages and reconnects when the connection
//! breaks.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use tokio::sync::Semaphore;
use tokio::time::{sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::mqtt;
use crate::payload::Instrument;
use crate::session::{KEEP_ALIVE_SECONDS, Session};
use crate::stats::Stats;
use crate::tls::Connector;

/// Most unacknowledged messages of a device.
const MAX_IN_FLIGHT: usize = 200;

/// How long a device waits for its last acknowledgements when the run ends.
const FINAL_ACK_TIMEOUT: Duration = Duration::from_secs(30);

/// State that all devices of a run share.
pub struct RunContext {
    /// `host:port` of the MQTT listener.
    pub address: String,
    /// Counters.
    pub stats: Stats,
    /// Limits concurrent handshakes.
    pub handshakes: Semaphore,
    /// Cancelled when publishing begins.
    pub start: CancellationToken,
    /// Cancelled when publishing ends.
    pub stop: CancellationToken,
}

/// One device.
pub struct Device {
    /// Its id, which is also its client id and common name.
    pub id: String,
    /// `v1/telemetry/{organisation}/{device}`.
    pub topic: String,
    /// Connects with its certificate.
    pub connector: Connector,
    /// Produces its readings.
    pub instrument: Instrument,
    /// Time between two bursts.
    pub period: Duration,
    /// Messages per burst.
    pub burst: u32,
    /// Seed of its noise.
    pub seed: u64,
}

struct Unacknowledged {
    sequence: u64,
    payload: Vec<u8>,
    written: Instant,
}

struct DeviceRun {
    device: Device,
    context: Arc<RunContext>,
    random: SmallRng,
    began: Instant,
    next: u64,
    last_millis: i64,
    unacknowledged: VecDeque<Unacknowledged>,
    out: Vec<u8>,
}

impl Device {
    /// Runs until publishing ends and every message is acknowledged. Returns the number of acknowledged messages, which
    /// are exactly 0..n because the server acknowledges in order.
    pub async fn run(self, context: Arc<RunContext>) -> u64 {
        let mut random = SmallRng::seed_from_u64(self.seed);
        let began = Instant::now();
        let jitter = random.random_range(0.0..1.0);
        let mut run = DeviceRun {
            device: self,
            context,
            random,
            began,
            next: 0,
            last_millis: 0,
            unacknowledged: VecDeque::new(),
            out: Vec::with_capacity(1024),
        };
        run.keep_connected(jitter).await;
        run.next - run.unacknowledged.len() as u64
    }
}

impl DeviceRun {
    async fn keep_connected(&mut self, jitter: f64) {
        let mut deadline = None;
        let mut delay = Duration::from_millis(200);
        loop {
            match self.open().await {
                Ok(mut session) => {
                    delay = Duration::from_millis(200);
                    if self.publish(&mut session, jitter, &mut deadline).await.is_ok() {
                        session.close().await;
                        return;
                    }
                    self.context.stats.lost.fetch_add(1, Relaxed);
                }
                Err(_) => {
                    self.context.stats.refused.fetch_add(1, Relaxed);
                }
            }
            if self.is_over(&mut deadline) {
                return;
            }
            // Jitter, so that devices do not reconnect in lockstep.
            sleep(delay.mul_f64(self.random.random_range(0.5..1.5))).await;
            delay = (delay * 2).min(Duration::from_secs(5));
        }
    }

    async fn open(&mut self) -> anyhow::Result<Session> {
        let _permit = self.context.handshakes.acquire().await?;
        let session = Session::open(&self.device.connector, &self.context.address, &self.device.id).await?;
        self.context.stats.connected.fetch_add(1, Relaxed);
        Ok(session)
    }

    async fn publish(
        &mut self,
        session: &mut Session,
        jitter: f64,
        deadline: &mut Option<Instant>,
    ) -> anyhow::Result<()> {
        self.resend_unacknowledged(session).await?;
        let ping_after = Duration::from_secs(u64::from(KEEP_ALIVE_SECONDS) / 2);
        // The random offset keeps devices from publishing in lockstep.
        let mut due = Instant::now() + self.device.period.mul_f64(jitter);
        let mut last_written = Instant::now();
        while !self.is_over(deadline) {
            let now = Instant::now();
            let publishing = self.context.start.is_cancelled() && !self.context.stop.is_cancelled();
            let may_publish = publishing && self.unacknowledged.len() < MAX_IN_FLIGHT;
            if may_publish && now >= due {
                self.write_burst(session, now).await?;
                last_written = now;
                // After a stall, catch up four periods at most instead of sending the whole backlog.
                due = (due + self.device.period).max(now - self.device.period * 4);
            } else if now >= last_written + ping_after {
                session.write(&mqtt::PINGREQ).await?;
                last_written = now;
            }
            let idle = Instant::now() + Duration::from_millis(if publishing { 1000 } else { 100 });
            let wake = if may_publish { due.min(last_written + ping_after) } else { idle };
            let (unacknowledged, stats) = (&mut self.unacknowledged, &self.context.stats);
            tokio::select! {
                read = session.read(|id| acknowledge(unacknowledged, stats, id)) => read?,
                () = sleep_until(wake.into()) => {}
            }
        }
        Ok(())
    }

    async fn write_burst(&mut self, session: &mut Session, now: Instant) -> anyhow::Result<()> {
        self.out.clear();
        for _ in 0..self.device.burst {
            let mut payload = Vec::with_capacity(256);
            let elapsed = self.began.elapsed().as_secs_f64();
            // A second message in the same millisecond would be the same reading and count once.
            self.last_millis = millis_now().max(self.last_millis + 1);
            self.device.instrument.write(&mut payload, self.last_millis, elapsed, self.next, &mut self.random);
            mqtt::publish(&mut self.out, &self.device.topic, packet_id(self.next), &payload);
            self.unacknowledged.push_back(Unacknowledged { sequence: self.next, payload, written: now });
            self.next += 1;
        }
        self.context.stats.sent.fetch_add(u64::from(self.device.burst), Relaxed);
        session.write(&self.out).await
    }

    async fn resend_unacknowledged(&mut self, session: &mut Session) -> anyhow::Result<()> {
        self.out.clear();
        for message in &mut self.unacknowledged {
            mqtt::publish(&mut self.out, &self.device.topic, packet_id(message.sequence), &message.payload);
            message.written = Instant::now();
        }
        self.context.stats.sent.fetch_add(self.unacknowledged.len() as u64, Relaxed);
        session.write(&self.out).await
    }

    fn is_over(&self, deadline: &mut Option<Instant>) -> bool {
        if !self.context.stop.is_cancelled() {
            return false;
        }
        let deadline = *deadline.get_or_insert_with(|| Instant::now() + FINAL_ACK_TIMEOUT);
        self.unacknowledged.is_empty() || Instant::now() >= deadline
    }
}

fn acknowledge(unacknowledged: &mut VecDeque<Unacknowledged>, stats: &Stats, id: u16) {
    // Acknowledgements arrive in message order; any other id belongs to an earlier session.
    if let Some(first) = unacknowledged.pop_front_if(|first| packet_id(first.sequence) == id) {
        stats.puback.record(first.written.elapsed());
        stats.acknowledged.fetch_add(1, Relaxed);
    }
}

fn packet_id(sequence: u64) -> u16 {
    (sequence % u64::from(u16::MAX)) as u16 + 1
}

#[allow(clippy::disallowed_methods, reason = "a device has its own clock")]
/// Returns the device's clock, milliseconds since 1970.
pub fn millis_now() -> i64 {
    chrono::Utc::now().timestamp_millis()
}
