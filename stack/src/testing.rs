//! Servers for tests: one set shared by all tests of a process, with an isolated space for each test, and a separate
//! set for a fault test. Throwaway data may be in memory, where syncing costs nothing; for measurements use
//! [`Durability::Durable`]. Functions here panic, as tests do, with a message that says what to do.

use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use nix::sys::statvfs::statvfs;
use rand::Rng;
use tokio::sync::OnceCell;

use crate::data_folder;
use crate::error::Error;
use crate::options::Durability;
use crate::options::Options;
use crate::protocols;
use crate::stack::Stack;
use crate::stack::Urls;

/// The variable that holds the shared servers' [`Urls`] as JSON.
pub const SHARED: &str = "ARGUSIQ_TEST_STACK";

/// Prefix of test folders, which are named `argusiq-test-<process id>-<number>`.
const FOLDER_PREFIX: &str = "argusiq-test-";

/// The in-memory file system that every Linux has; containers often limit it to little space.
const MEMORY_FOLDER: &str = "/dev/shm";
/// How many bytes of memory must be free for test data to go there.
const MIN_FREE_BYTES: u64 = 6_000_000_000;

/// An isolated part of the shared servers for one test.
#[derive(Debug, Clone)]
pub struct Space {
    /// URL of nats-server.
    pub nats: String,
    /// Prefix of streams, buckets and subjects: `t` and eight letters or digits.
    pub stream_prefix: String,
    /// URL of a new database; its user owns the database and is a superuser.
    pub postgres: String,
    /// URL of Redis.
    pub redis: String,
    /// Prefix of every Redis key: the stream prefix and a colon.
    pub key_prefix: String,
}

/// Returns the servers that the tests of this process share: those in `ARGUSIQ_TEST_STACK`, else a set that is started
/// on the first call and ends with the process.
///
/// # Panics
/// When the servers cannot be started.
pub async fn servers() -> &'static Urls {
    static SHARED_SERVERS: OnceCell<Result<(Urls, Option<TestStack>), String>> = OnceCell::const_new();
    match SHARED_SERVERS.get_or_init(shared).await {
        Ok((urls, _)) => urls,
        Err(message) => panic!("{message}"),
    }
}

/// Creates an isolated space in the shared servers.
///
/// # Panics
/// When the servers cannot be started or the database cannot be created.
pub async fn space() -> Space {
    let servers = servers().await;
    let name = unique();
    let postgres = create_database(&servers.postgres, &name).await.unwrap_or_else(|error| panic!("{}", chain(&error)));
    Space {
        nats: servers.nats.clone(),
        key_prefix: format!("{name}:"),
        stream_prefix: name,
        postgres,
        redis: servers.redis.clone(),
    }
}

/// Runs one statement on a database of the stack. Returns the first column of each row, with NULL as an empty text.
pub async fn sql(url: &str, statement: &str) -> Result<Vec<String>, Error> {
    let answer = async { protocols::Postgres::connect(port_of(url)?, split(url).1).await?.query(statement).await };
    answer.await.map_err(|source| Error::Statement { statement: statement.into(), source })
}

/// Starts separate servers that a test may kill and restart. On drop, they end and their data is removed.
///
/// # Panics
/// When the servers cannot be started.
pub async fn own_stack() -> TestStack {
    TestStack::start(|options| options).await.unwrap_or_else(|error| panic!("{}", chain(&error)))
}

/// Removes the data folder of a stack that has ended, including data outside of it. Returns false and keeps the folder
/// where it is in use.
pub fn remove_data(data_dir: &Path) -> Result<bool, Error> {
    data_folder::remove(data_dir)
}

/// A stack on a temporary folder. Both are removed on [`stop`](Self::stop) or drop; those that a killed process leaves
/// are removed when the next stack starts.
#[derive(Debug)]
pub struct TestStack {
    // Declared before the folder, so that the servers end first.
    stack: Option<Stack>,
    _folder: TemporaryFolder,
}

impl TestStack {
    /// Starts a throwaway stack with changed options, except for the data folder. With [`Durability::Durable`] the
    /// folder is never in memory, so that measurements include syncing.
    pub async fn start(change: impl FnOnce(Options) -> Options) -> Result<Self, Error> {
        sweep();
        let options = change(Options::throwaway(PathBuf::new()));
        let folder = TemporaryFolder(temporary_folder(options.durability));
        let stack = Stack::start(Options { data_dir: folder.0.clone(), ..options }).await?;
        Ok(Self { stack: Some(stack), _folder: folder })
    }

    /// Stops the servers and removes the data.
    pub async fn stop(mut self) -> Result<(), Error> {
        match self.stack.take() {
            Some(stack) => stack.stop().await,
            None => Ok(()),
        }
    }
}

impl Deref for TestStack {
    type Target = Stack;
    #[allow(clippy::expect_used, reason = "the stack is there until `stop`, which takes the value")]
    fn deref(&self) -> &Stack {
        self.stack.as_ref().expect("the stack runs")
    }
}

impl DerefMut for TestStack {
    #[allow(clippy::expect_used, reason = "the stack is there until `stop`, which takes the value")]
    fn deref_mut(&mut self) -> &mut Stack {
        self.stack.as_mut().expect("the stack runs")
    }
}

#[derive(Debug)]
struct TemporaryFolder(PathBuf);

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        if let Err(error) = data_folder::remove(&self.0) {
            tracing::warn!(%error, path = %self.0.display(), "cannot remove a test's folder");
        }
    }
}

async fn shared() -> Result<(Urls, Option<TestStack>), String> {
    if let Ok(json) = std::env::var(SHARED) {
        let urls =
            serde_json::from_str(&json).map_err(|error| format!("{SHARED} is not valid JSON of URLs: {error}"))?;
        return Ok((urls, None));
    }
    let stack = TestStack::start(|options| options).await.map_err(|error| chain(&error))?;
    Ok((stack.urls().clone(), Some(stack)))
}

fn temporary_folder(durability: Durability) -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let root = if durability == Durability::Durable { std::env::temp_dir() } else { root() };
    root.join(format!("{FOLDER_PREFIX}{}-{number}", std::process::id()))
}

/// Returns the parent of throwaway folders: in memory if enough is free, unless `TMPDIR` is set. A database has about
/// 300 files; creating and removing them on disk dominates the tests' waiting time.
fn root() -> PathBuf {
    let memory = Path::new(MEMORY_FOLDER);
    let free = || Some(statvfs(memory).ok().map(|is| is.blocks_available() * is.fragment_size())?.min(available()?));
    match std::env::var_os("TMPDIR") {
        None if free().is_some_and(|bytes| bytes > MIN_FREE_BYTES) => memory.into(),
        _ => std::env::temp_dir(),
    }
}

/// Returns the available memory in bytes: `MemAvailable` of `/proc/meminfo`, which is in KiB (`proc(5)`).
fn available() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
}

/// Removes the folders of processes that have ended, if their servers have ended too.
fn sweep() {
    let folders = [std::env::temp_dir(), MEMORY_FOLDER.into()];
    for entry in folders.iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten().flatten() {
        let name = entry.file_name();
        let owner =
            name.to_str().and_then(|name| name.strip_prefix(FOLDER_PREFIX)?.split('-').next()?.parse::<u32>().ok());
        if owner.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
            // Fails for another user's folder, which that user's tests remove.
            let _ = data_folder::remove(&entry.path());
        }
    }
}

/// Creates a database and returns its URL. The strategy `file_copy` takes two thirds of the time of `wal_log`, measured
/// with three concurrent clients; the checkpoint that it needs is cheap without syncing.
async fn create_database(server: &str, name: &str) -> Result<String, Error> {
    sql(server, &format!("CREATE DATABASE {name} TEMPLATE template0 STRATEGY file_copy")).await?;
    Ok(format!("{}/{name}", split(server).0))
}

/// Splits a PostgreSQL URL into address and database.
fn split(url: &str) -> (&str, &str) {
    url.rsplit_once('/').unwrap_or((url, ""))
}

fn port_of(url: &str) -> Result<u16, protocols::Error> {
    let port = split(url).0.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
    port.ok_or_else(|| protocols::Error::Refused(format!("{url} has no port")))
}

/// Returns a unique name for streams, databases and subjects: `t` and eight letters or digits.
fn unique() -> String {
    const LETTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let mut random = rand::rng();
    let letters = (0..8).map(|_| char::from(LETTERS[random.random_range(0..LETTERS.len())]));
    std::iter::once('t').chain(letters).collect()
}

/// Formats an error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
