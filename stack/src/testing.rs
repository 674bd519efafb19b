//! Servers for tests: one set shared by all tests of a process, a space of its own in it for each test, and a set of its
//! own for a test of faults. Throwaway data may lie in memory, where syncing costs nothing: for
//! measurements ask for [`Durability::Durable`]. Functions here panic, as tests do, with a message that says what to do.

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

/// Folders of tests are named `argusiq-test-<process id>-<number>`.
const FOLDER_PREFIX: &str = "argusiq-test-";

/// The file system in memory that every Linux has, though containers often have little of it.
const MEMORY_FOLDER: &str = "/dev/shm";
/// How much memory must be left for test data to go there, bytes.
const MIN_FREE_BYTES: u64 = 6_000_000_000;

/// One test's own part of the shared servers.
#[derive(Debug, Clone)]
pub struct Space {
    /// URL of nats-server.
    pub nats: String,
    /// Goes before the names of streams and buckets, and before subjects: `t` and eight letters or digits.
    pub stream_prefix: String,
    /// URL of a fresh database, owned by the user in it, a superuser.
    pub postgres: String,
    /// URL of Redis.
    pub redis: String,
    /// Goes before every key: the stream prefix and a colon.
    pub key_prefix: String,
}

/// Returns the servers shared by the tests of this process: those named by `ARGUSIQ_TEST_STACK`, else a set started on
/// the first call, which ends with the process.
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

/// Returns a space of its own in the shared servers.
///
/// # Panics
/// When the servers cannot be started or the database cannot be made.
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

/// Runs one statement on a database of the stack. Returns the first column of each row; NULL is empty.
pub async fn sql(url: &str, statement: &str) -> Result<Vec<String>, Error> {
    let answer = async { protocols::Postgres::connect(port_of(url)?, split(url).1).await?.query(statement).await };
    answer.await.map_err(|source| Error::Statement { statement: statement.into(), source })
}

/// Starts servers of the test's own, to kill and restart. They end, and their data goes, on drop.
///
/// # Panics
/// When the servers cannot be started.
pub async fn own_stack() -> TestStack {
    TestStack::start(|options| options).await.unwrap_or_else(|error| panic!("{}", chain(&error)))
}

/// Removes the data folder of a stack that has ended, with what it keeps elsewhere. Returns whether it is gone: a folder
/// in use stays.
pub fn remove_data(data_dir: &Path) -> Result<bool, Error> {
    data_folder::remove(data_dir)
}

/// A stack on a temporary folder. Both are gone after [`stop`](Self::stop) or drop; what a killed process leaves is
/// removed when the next one starts.
#[derive(Debug)]
pub struct TestStack {
    // Before the folder: the servers end first.
    stack: Option<Stack>,
    _folder: TemporaryFolder,
}

impl TestStack {
    /// Starts a throwaway stack with changed options; the data folder stays ours to choose. With
    /// [`Durability::Durable`] it is never one in memory, so that what is measured has been synced.
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
            tracing::warn!(%error, path = %self.0.display(), "a test's folder stays");
        }
    }
}

async fn shared() -> Result<(Urls, Option<TestStack>), String> {
    if let Ok(json) = std::env::var(SHARED) {
        let urls = serde_json::from_str(&json).map_err(|error| format!("{SHARED} is not the JSON of URLs: {error}"))?;
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

/// Where throwaway folders go: into memory where there is plenty of it, unless `TMPDIR` says otherwise. A database is
/// some 300 files; creating and removing them on disk takes most of the time that tests wait for.
fn root() -> PathBuf {
    let memory = Path::new(MEMORY_FOLDER);
    let free = || Some(statvfs(memory).ok().map(|is| is.blocks_available() * is.fragment_size())?.min(available()?));
    match std::env::var_os("TMPDIR") {
        None if free().is_some_and(|bytes| bytes > MIN_FREE_BYTES) => memory.into(),
        _ => std::env::temp_dir(),
    }
}

/// Memory that programs may still take, bytes: `MemAvailable` of `/proc/meminfo`, in KiB there (`proc(5)`).
fn available() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
}

/// Removes the folders of processes that are gone and whose servers have ended.
fn sweep() {
    let folders = [std::env::temp_dir(), MEMORY_FOLDER.into()];
    for entry in folders.iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten().flatten() {
        let name = entry.file_name();
        let owner =
            name.to_str().and_then(|name| name.strip_prefix(FOLDER_PREFIX)?.split('-').next()?.parse::<u32>().ok());
        if owner.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
            // Another user's stays; that user's tests remove it.
            let _ = data_folder::remove(&entry.path());
        }
    }
}

/// Creates a database and returns its URL. Copying the template's files takes two thirds of the time that logging its
/// pages takes, measured with three clients at once; the checkpoint it needs costs little without syncing.
async fn create_database(server: &str, name: &str) -> Result<String, Error> {
    sql(server, &format!("CREATE DATABASE {name} TEMPLATE template0 STRATEGY file_copy")).await?;
    Ok(format!("{}/{name}", split(server).0))
}

/// The address and the database of a PostgreSQL URL.
fn split(url: &str) -> (&str, &str) {
    url.rsplit_once('/').unwrap_or((url, ""))
}

fn port_of(url: &str) -> Result<u16, protocols::Error> {
    let port = split(url).0.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
    port.ok_or_else(|| protocols::Error::Refused(format!("{url} names no port")))
}

/// `t` and eight letters or digits: a name for a stream, a database and a subject.
fn unique() -> String {
    const LETTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let mut random = rand::rng();
    let letters = (0..8).map(|_| char::from(LETTERS[random.random_range(0..LETTERS.len())]));
    std::iter::once('t').chain(letters).collect()
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
