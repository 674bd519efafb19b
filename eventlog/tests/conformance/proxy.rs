//! A TCP proxy that can drop traffic in either direction, so that tests can lose acknowledgements and requests on
//! demand.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

pub struct Proxy {
    address: SocketAddr,
    losing: Arc<Losing>,
    generation: watch::Sender<u64>,
}

#[derive(Default)]
struct Losing {
    requests: AtomicBool,
    answers: AtomicBool,
    /// Number of request chunks dropped so far.
    lost: AtomicU64,
}

impl Proxy {
    /// Starts a proxy in front of the server of a URL.
    pub async fn before(url: &str) -> Self {
        let target = authority(url).to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let losing = Arc::new(Losing::default());
        let (generation, connections) = watch::channel(0);
        let shared = losing.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(&target).await else { continue };
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                let (requests, answers) = (shared.clone(), shared.clone());
                tokio::spawn(pump(from_client, to_server, move || requests.loses_request(), connections.clone()));
                tokio::spawn(pump(from_server, to_client, move || answers.loses_answer(), connections.clone()));
            }
        });
        Self { address, losing, generation }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Drops all traffic from the server from now on.
    pub fn lose_answers(&self) {
        self.losing.answers.store(true, Ordering::SeqCst);
    }

    /// Drops all traffic from the client from now on.
    pub fn lose_requests(&self) {
        self.losing.requests.store(true, Ordering::SeqCst);
    }

    /// Waits until requests were dropped `count` times.
    pub async fn lost_requests(&self, count: u64) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.losing.lost.load(Ordering::SeqCst) < count {
            assert!(Instant::now() < deadline, "no request was sent");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Closes all connections and stops dropping traffic.
    pub fn heal(&self) {
        self.generation.send_modify(|generation| *generation += 1);
        self.losing.answers.store(false, Ordering::SeqCst);
        self.losing.requests.store(false, Ordering::SeqCst);
    }
}

/// Returns host and port of a URL.
pub fn authority(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = rest.split('/').next().unwrap_or(rest);
    rest.rsplit('@').next().unwrap_or(rest)
}

impl Losing {
    fn loses_request(&self) -> bool {
        let loses = self.requests.load(Ordering::SeqCst);
        self.lost.fetch_add(u64::from(loses), Ordering::SeqCst);
        loses
    }

    fn loses_answer(&self) -> bool {
        self.answers.load(Ordering::SeqCst)
    }
}

async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    loses: impl Fn() -> bool,
    mut generation: watch::Receiver<u64>,
) {
    generation.mark_unchanged();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = tokio::select! {
            _ = generation.changed() => return,
            read = from.read(&mut buffer) => read,
        };
        match read {
            Ok(0) | Err(_) => return,
            Ok(_) if loses() || generation.has_changed().unwrap_or(true) => {}
            Ok(count) => {
                if to.write_all(&buffer[..count]).await.is_err() {
                    return;
                }
            }
        }
    }
}
