//! The cost of the edge: CPU per message and memory per connection. The devices run in their own process, and the log
//! server syncs every write. Run with `cargo bench -p ingest`; the environment variables DEVICES, RATE (messages a
//! second, all devices together) and SECONDS change the load.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(dead_code, reason = "the shared test helpers have more than the benchmark uses")]

#[path = "../tests/edge/mqtt_client.rs"]
mod mqtt_client;
#[path = "../tests/edge/test_platform.rs"]
mod test_platform;

use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use futures_util::{StreamExt, stream};
use mqtt_client::{Client, ConnectOptions, Version, connect_packet_of, publish_packet};
use serde::{Deserialize, Serialize};
use stack::testing::TestStack;
use stack::{Durability, Options, Server};
use test_platform::TestPlatform;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::sync::Semaphore;

/// Set in the devices' process: the file with their certificates.
const FLEET: &str = "EDGE_BENCH_FLEET";
/// Approximate payload size in bytes.
const PAYLOAD_BYTES: usize = 500;

/// The input of the devices' process.
#[derive(Serialize, Deserialize)]
struct Fleet {
    address: std::net::SocketAddr,
    root_pem: String,
    devices: Vec<Member>,
    rate: u64,
    seconds: u64,
}

#[derive(Serialize, Deserialize)]
struct Member {
    organization: uuid::Uuid,
    id: uuid::Uuid,
    chain_pem: String,
    key_pem: String,
}

#[tokio::main]
async fn main() {
    match std::env::var(FLEET) {
        Ok(path) => run_devices(serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()).await,
        Err(_) => measure().await,
    }
}

async fn measure() {
    let (devices, rate, seconds) = (setting("DEVICES", 1_000), setting("RATE", 5_000), setting("SECONDS", 10));
    let durable = |options: Options| Options { durability: Durability::Durable, ..options.only(Server::Nats) };
    let stack = TestStack::start(durable).await.unwrap();
    let platform = TestPlatform::on(&stack.urls().nats.clone(), "bench").await;
    let door = platform.door_with(|config| config.limits.messages_per_second = 1_000_000).await;
    let members = stream::iter(0..devices).map(|_| member(&platform)).buffer_unordered(64).collect::<Vec<_>>().await;
    let file = std::env::temp_dir().join(format!("edge-bench-{}.json", std::process::id()));
    let fleet = Fleet { address: door.address, root_pem: door.root_pem.clone(), devices: members, rate, seconds };
    std::fs::write(&file, serde_json::to_vec(&fleet).unwrap()).unwrap();

    let (cpu, memory) = (cpu_seconds(), resident_bytes());
    let mut child = tokio::process::Command::new(std::env::current_exe().unwrap())
        .env(FLEET, &file)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next_line().await.unwrap().as_deref(), Some("connected"));
    let handshakes = cpu_seconds() - cpu;
    let memory = resident_bytes().saturating_sub(memory);
    println!("connection_bytes={} handshake_cpu_us={:.0}", memory / devices, handshakes * 1e6 / devices as f64);

    let cpu = cpu_seconds();
    child.stdin.take().unwrap().write_all(b"go\n").await.unwrap();
    let report = lines.next_line().await.unwrap().unwrap();
    let cpu = cpu_seconds() - cpu;
    child.wait().await.unwrap();
    std::fs::remove_file(file).unwrap();
    let sent: u64 = report.split(['=', ' ']).nth(1).unwrap().parse().unwrap();
    let raw = platform.raw().await;
    let mut payloads: Vec<_> = raw.iter().map(|reading| (reading.device, reading.payload.clone())).collect();
    payloads.sort_unstable();
    payloads.dedup();
    let (missing, doubled) = (sent - payloads.len() as u64, raw.len() - payloads.len());
    let cost = cpu * 1e6 / sent as f64;
    println!("{report} cpu_us_per_message={cost:.1} missing={missing} doubled={doubled}");
    door.close().await;
    stack.stop().await.unwrap();
}

async fn member(platform: &TestPlatform) -> Member {
    let device = platform.device().await;
    let key_pem = device.issued.private_key_pem.as_ref().unwrap().expose().to_owned();
    Member { organization: device.organization, id: device.id, chain_pem: device.issued.chain_pem, key_pem }
}

/// Runs the devices: connects them all, waits for the start signal, and lets each send one message at a time.
async fn run_devices(fleet: Fleet) {
    let handshakes = Arc::new(Semaphore::new(64));
    let pace = Duration::from_secs_f64(fleet.devices.len() as f64 / fleet.rate as f64);
    let connected = fleet.devices.iter().map(|member| {
        let (handshakes, address, root_pem) = (handshakes.clone(), fleet.address, fleet.root_pem.clone());
        async move {
            let _permit = handshakes.acquire().await.unwrap();
            let identity = Some((member.chain_pem.as_str(), member.key_pem.as_str()));
            let mut client =
                Client::over(mqtt_client::tls_to(address, &root_pem, identity).await.unwrap(), Version::V3);
            client.send(&connect_packet_of(member.id, Version::V3, ConnectOptions::default())).await;
            assert_eq!(client.receive().await.first, 0x20);
            (client, format!("v1/telemetry/{}/{}", member.organization, member.id))
        }
    });
    let clients = join_all(connected).await;
    println!("connected");
    let mut line = String::new();
    BufReader::new(tokio::io::stdin()).read_line(&mut line).await.unwrap();
    let (started, run) = (Instant::now(), Duration::from_secs(fleet.seconds));
    let count = clients.len() as u32;
    let sending = clients.into_iter().enumerate().map(|(index, (client, topic))| {
        // Spread the first messages over one period, so that they do not arrive in bursts.
        tokio::spawn(send(client, topic, started + pace * index as u32 / count, pace, started + run))
    });
    let mut waits: Vec<Duration> = join_all(sending).await.into_iter().flat_map(Result::unwrap).collect();
    let seconds = started.elapsed().as_secs_f64();
    waits.sort_unstable();
    let at = |share: f64| waits[((waits.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    let (sent, rate) = (waits.len(), waits.len() as f64 / seconds);
    println!(
        "messages={sent} messages_per_second={rate:.0} p50_ms={:.1} p95_ms={:.1} p99_ms={:.1}",
        at(0.5),
        at(0.95),
        at(0.99)
    );
}

async fn send(mut client: Client, topic: String, first: Instant, pace: Duration, until: Instant) -> Vec<Duration> {
    let (mut waits, mut due) = (Vec::new(), first);
    let filler = "x".repeat(PAYLOAD_BYTES - 60);
    while due < until {
        tokio::time::sleep_until(due.into()).await;
        let number = waits.len();
        let payload = format!(r#"{{"metrics":{{"n":{number},"temperature":21.5,"text":"{filler}"}}}}"#);
        let sent = Instant::now();
        client.send(&publish_packet(Version::V3, &topic, payload.as_bytes(), 1, number as u16 % 60_000 + 1)).await;
        client.receive_puback().await;
        waits.push(sent.elapsed());
        due += pace;
    }
    waits
}

/// Returns the CPU seconds that this process has used (`/proc/self/stat`, fields 14 and 15, in hundredths).
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<_> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks = |index: usize| fields[index].parse::<f64>().unwrap();
    (ticks(11) + ticks(12)) / 100.0
}

/// Returns the resident memory of this process in bytes (`/proc/self/statm`, pages of 4 KiB).
fn resident_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 4_096
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}
