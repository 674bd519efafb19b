//! One simulated device: measures on time, keeps what is not acknowledged, comes back when the line breaks. What does
//! not live here: how many there are.

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

/// Most messages a device has on the way.
const WINDOW: usize = 200;

/// How long a device waits for its last acknowledgements when the run ends.
const LAST_ACKNOWLEDGEMENTS: Duration = Duration::from_secs(30);

/// What all devices of a run share.
pub struct Line {
    /// `host:port` of the door.
    pub address: String,
    /// Counters.
    pub stats: Stats,
    /// Handshakes at a time.
    pub handshakes: Semaphore,
    /// Cancelled when publishing shall begin.
    pub start: CancellationToken,
    /// Cancelled when publishing shall end.
    pub stop: CancellationToken,
}

/// One device.
pub struct Device {
    /// Its id: client id and common name.
    pub id: String,
    /// `v1/telemetry/{organisation}/{device}`.
    pub topic: String,
    /// Its certificate.
    pub connector: Connector,
    /// What it measures.
    pub instrument: Instrument,
    /// From one burst to the next.
    pub period: Duration,
    /// Messages in a burst.
    pub burst: u32,
    /// Seed of its noise.
    pub seed: u64,
}

struct Unacknowledged {
    sequence: u64,
    payload: Vec<u8>,
    written: Instant,
}

struct Run {
    device: Device,
    line: Arc<Line>,
    random: SmallRng,
    began: Instant,
    next: u64,
    last_millis: i64,
    waiting: VecDeque<Unacknowledged>,
    out: Vec<u8>,
}

impl Device {
    /// Runs until the line says stop and everything is acknowledged; answers how many messages were acknowledged: all
    /// of 0..n, because the server acknowledges in order.
    pub async fn run(self, line: Arc<Line>) -> u64 {
        let mut random = SmallRng::seed_from_u64(self.seed);
        let began = Instant::now();
        let jitter = random.random_range(0.0..1.0);
        let mut run = Run {
            device: self,
            line,
            random,
            began,
            next: 0,
            last_millis: 0,
            waiting: VecDeque::new(),
            out: Vec::with_capacity(1024),
        };
        run.stay_connected(jitter).await;
        run.next - run.waiting.len() as u64
    }
}

impl Run {
    async fn stay_connected(&mut self, jitter: f64) {
        let mut deadline = None;
        let mut pause = Duration::from_millis(200);
        loop {
            match self.open().await {
                Ok(mut session) => {
                    pause = Duration::from_millis(200);
                    if self.publish(&mut session, jitter, &mut deadline).await.is_ok() {
                        session.close().await;
                        return;
                    }
                    self.line.stats.lost.fetch_add(1, Relaxed);
                }
                Err(_) => {
                    self.line.stats.refused.fetch_add(1, Relaxed);
                }
            }
            if self.is_over(&mut deadline) {
                return;
            }
            sleep(pause.mul_f64(self.random.random_range(0.5..1.5))).await;
            pause = (pause * 2).min(Duration::from_secs(5));
        }
    }

    async fn open(&mut self) -> anyhow::Result<Session> {
        let _permit = self.line.handshakes.acquire().await?;
        let session = Session::open(&self.device.connector, &self.line.address, &self.device.id).await?;
        self.line.stats.connected.fetch_add(1, Relaxed);
        Ok(session)
    }

    async fn publish(
        &mut self,
        session: &mut Session,
        jitter: f64,
        deadline: &mut Option<Instant>,
    ) -> anyhow::Result<()> {
        self.repeat_unacknowledged(session).await?;
        let ping_after = Duration::from_secs(u64::from(KEEP_ALIVE_SECONDS) / 2);
        let mut due = Instant::now() + self.device.period.mul_f64(jitter);
        let mut last_written = Instant::now();
        while !self.is_over(deadline) {
            let now = Instant::now();
            let publishing = self.line.start.is_cancelled() && !self.line.stop.is_cancelled();
            let may_publish = publishing && self.waiting.len() < WINDOW;
            if may_publish && now >= due {
                self.write_burst(session, now).await?;
                last_written = now;
                due = (due + self.device.period).max(now - self.device.period * 4);
            } else if now >= last_written + ping_after {
                session.write(&mqtt::PINGREQ).await?;
                last_written = now;
            }
            let idle = Instant::now() + Duration::from_millis(if publishing { 1000 } else { 100 });
            let wake = if may_publish { due.min(last_written + ping_after) } else { idle };
            let (waiting, stats) = (&mut self.waiting, &self.line.stats);
            tokio::select! {
                read = session.read(|id| acknowledge(waiting, stats, id)) => read?,
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
            // Two messages of one millisecond would be the same reading.
            self.last_millis = millis_now().max(self.last_millis + 1);
            self.device.instrument.write(&mut payload, self.last_millis, elapsed, self.next, &mut self.random);
            mqtt::publish(&mut self.out, &self.device.topic, packet_id(self.next), &payload);
            self.waiting.push_back(Unacknowledged { sequence: self.next, payload, written: now });
            self.next += 1;
        }
        self.line.stats.sent.fetch_add(u64::from(self.device.burst), Relaxed);
        session.write(&self.out).await
    }

    async fn repeat_unacknowledged(&mut self, session: &mut Session) -> anyhow::Result<()> {
        self.out.clear();
        for message in &mut self.waiting {
            mqtt::publish(&mut self.out, &self.device.topic, packet_id(message.sequence), &message.payload);
            message.written = Instant::now();
        }
        self.line.stats.sent.fetch_add(self.waiting.len() as u64, Relaxed);
        session.write(&self.out).await
    }

    fn is_over(&self, deadline: &mut Option<Instant>) -> bool {
        if !self.line.stop.is_cancelled() {
            return false;
        }
        let deadline = *deadline.get_or_insert_with(|| Instant::now() + LAST_ACKNOWLEDGEMENTS);
        self.waiting.is_empty() || Instant::now() >= deadline
    }
}

fn acknowledge(waiting: &mut VecDeque<Unacknowledged>, stats: &Stats, id: u16) {
    // Acknowledgements come in the order of the messages; a stranger's id belongs to an earlier session.
    if let Some(first) = waiting.pop_front_if(|first| packet_id(first.sequence) == id) {
        stats.puback.note(first.written.elapsed());
        stats.acknowledged.fetch_add(1, Relaxed);
    }
}

fn packet_id(sequence: u64) -> u16 {
    (sequence % u64::from(u16::MAX)) as u16 + 1
}

#[allow(clippy::disallowed_methods, reason = "a device has a clock of its own")]
/// Milliseconds since 1970 by the device's clock.
pub fn millis_now() -> i64 {
    chrono::Utc::now().timestamp_millis()
}
