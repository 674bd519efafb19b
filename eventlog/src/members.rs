//! Which processes are alive and which partitions this one owns. Each process keeps one entry in a bucket whose
//! entries vanish 8 s after their last renewal, and everyone computes the same division from the entries there are.
//! Two owners may overlap for a moment; fences in what they write make the stale one harmless. A name belongs to one
//! live process: a second one of that name is refused.

mod entry;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use self::entry::OwnEntry;
pub use self::entry::{Entry, Member, list};
use crate::buckets::{self, BucketName};
use crate::connection::Log;
use crate::error_chain::error_chain;
use crate::{metric_names, rendezvous};

/// How often the own entry is renewed; the entry outlives three missed renewals.
const RENEW_INTERVAL: Duration = Duration::from_secs(2);
/// How often the entries are read.
const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// How long a request may hold up the next look at the own lease.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(1);
/// After how long without renewal the own partitions are given up: before the entry vanishes for the others, with the
/// requests under way counted in.
const LEASE: Duration = Duration::from_secs(6);

/// The members that are alive and the kinds of work each does.
pub type Members = BTreeMap<String, BTreeSet<String>>;

type Owned = Arc<Mutex<BTreeMap<String, watch::Sender<BTreeSet<u16>>>>>;

/// Why a process cannot join.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another live process has the name.
    #[error("another live process is called {0}; stop it, or give this one a name of its own (ARGUSIQ_INSTANCE)")]
    NameTaken(String),
    /// The name is none.
    #[error("{0:?} cannot be a process's name: it takes letters, digits, `-` and `_`")]
    InvalidName(String),
    /// The bucket did not answer as it should.
    #[error("the bucket of the members does not answer")]
    Bucket(#[from] buckets::Error),
}

/// This process among the members.
pub struct Membership {
    owned: Owned,
    members: watch::Receiver<Members>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Membership {
    /// Joins under a name of the characters `A-Z a-z 0-9 - _`, for the given kinds of work. Returns once the own entry is
    /// written and the others were read; what a dead process of that name left is waited for, up to 8 s. Errors with
    /// [`Error::NameTaken`] when a live one has it. It leaves when `shutdown` is cancelled.
    pub async fn join(
        log: &Log,
        member: impl Into<Member>,
        kinds: &[&str],
        shutdown: CancellationToken,
    ) -> Result<Membership, Error> {
        let member: Member = member.into();
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if member.name.is_empty() || !member.name.chars().all(allowed) {
            return Err(Error::InvalidName(member.name));
        }
        let kinds: BTreeSet<String> = kinds.iter().map(|kind| (*kind).to_owned()).collect();
        let owned: Owned = Arc::default();
        let (announce, members) = watch::channel(Members::new());
        let bucket = log.bucket(BucketName::Members).await?;
        let mut keeper = Keeper {
            log: log.clone(),
            own: OwnEntry::new(bucket, member, kinds.clone()),
            kinds,
            owned: owned.clone(),
            announce,
            renewed_at: Instant::now(),
        };
        keeper.own.claim().await?;
        keeper.renew().await?;
        keeper.read().await;
        let stop = shutdown.child_token();
        let task = tokio::spawn(keeper.keep(stop.clone()));
        Ok(Membership { owned, members, stop, task })
    }

    /// Returns the partitions of a kind of work that this process owns, and their changes. They are empty for a kind it
    /// did not join for, and while its own entry could not be renewed for 6 s.
    pub fn owned(&self, kind: &str) -> watch::Receiver<BTreeSet<u16>> {
        let mut owned = self.owned.lock().unwrap_or_else(PoisonError::into_inner);
        owned.entry(kind.to_owned()).or_insert_with(|| watch::channel(BTreeSet::new()).0).subscribe()
    }

    /// Returns the members that are alive, and their changes.
    pub fn members(&self) -> watch::Receiver<Members> {
        self.members.clone()
    }

    /// Leaves at once: the own entry is deleted, and the others take over with their next reading.
    pub async fn leave(self) {
        self.stop.cancel();
        // The task ends by itself after deleting the entry; that it was aborted elsewhere changes nothing.
        let _ = self.task.await;
    }
}

struct Keeper {
    log: Log,
    own: OwnEntry,
    kinds: BTreeSet<String>,
    owned: Owned,
    announce: watch::Sender<Members>,
    renewed_at: Instant,
}

impl Keeper {
    async fn keep(mut self, stop: CancellationToken) {
        let (mut renewal, mut reading) = (interval(RENEW_INTERVAL), interval(POLL_INTERVAL));
        renewal.set_missed_tick_behavior(MissedTickBehavior::Delay);
        reading.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let is_renewal = tokio::select! {
                () = stop.cancelled() => break,
                _ = renewal.tick() => true,
                _ = reading.tick() => false,
            };
            // A process that stood still was taken for gone, and must know it before its entry is there again.
            self.check_lease();
            if is_renewal {
                self.try_renew().await;
            } else {
                self.read().await;
            }
            self.check_lease();
        }
        self.announce(Members::new());
        if let Err(error) = self.own.withdraw().await {
            warn!(
                member = self.own.name,
                error = error_chain(&error),
                "could not take leave; the entry vanishes by itself"
            );
        }
    }

    async fn renew(&mut self) -> Result<(), Error> {
        // The lease runs from before the request: the server's own clock for the entry starts later than this one.
        let started = Instant::now();
        self.own.renew().await?;
        self.renewed_at = started;
        Ok(())
    }

    async fn try_renew(&mut self) {
        let member = self.own.name.clone();
        match timeout(REQUEST_TIMEOUT, self.renew()).await {
            Ok(Ok(())) => {}
            // This process stood still for so long that another one could take its name, and owns nothing until that
            // one is gone.
            Ok(Err(error @ Error::NameTaken(_))) => {
                if self.announce(Members::new()) {
                    warn!(member, error = error_chain(&error), "this process has lost its name");
                }
            }
            Ok(Err(error)) => warn!(member, error = error_chain(&error), "could not renew the membership"),
            Err(_) => warn!(member, "could not renew the membership in time"),
        }
    }

    async fn read(&mut self) {
        let Some(entries) = self.read_entries().await else { return };
        let own = entries.get(&self.own.name).is_some_and(|entry| entry.process == self.own.process());
        if own && !self.is_overdue() {
            self.announce(entries.into_iter().map(|(name, entry)| (name, entry.kinds)).collect());
        } else {
            // An answer without the own entry is no picture of who is alive: after an outage everyone's entry may have
            // vanished, and whoever renewed first would take all for a moment. An entry that is there and cannot be
            // renewed is as good as gone.
            self.try_renew().await;
        }
    }

    /// Gives everything up while the own entry may be gone for the others.
    fn check_lease(&self) {
        if self.is_overdue() {
            self.announce(Members::new());
        }
    }

    fn is_overdue(&self) -> bool {
        self.renewed_at.elapsed() > LEASE
    }

    /// Returns the entries there are, or none when they could not be read.
    async fn read_entries(&self) -> Option<BTreeMap<String, Entry>> {
        let read = timeout(REQUEST_TIMEOUT, list(&self.log)).await.ok()?;
        read.inspect_err(|error| warn!(error = error_chain(error), "could not read the members")).ok()
    }

    /// Tells the members and divides the work, and answers whether anything changed.
    fn announce(&self, members: Members) -> bool {
        let changed = self.announce.send_if_modified(|known| {
            let changed = *known != members;
            if changed {
                info!(member = self.own.name, members = ?members.keys().collect::<Vec<_>>(), "the members changed");
                known.clone_from(&members);
            }
            changed
        });
        if changed {
            self.divide(&members);
        }
        changed
    }

    fn divide(&self, members: &Members) {
        for kind in &self.kinds {
            let peers: BTreeSet<String> =
                members.iter().filter(|(_, kinds)| kinds.contains(kind)).map(|(member, _)| member.clone()).collect();
            let mine = rendezvous::owned(&self.own.name, &peers, kind);
            metrics::gauge!(metric_names::MEMBERS, "kind" => kind.clone()).set(peers.len() as f64);
            metrics::gauge!(metric_names::OWNED_PARTITIONS, "kind" => kind.clone()).set(mine.len() as f64);
            let mut owned = self.owned.lock().unwrap_or_else(PoisonError::into_inner);
            let sender = owned.entry(kind.clone()).or_insert_with(|| watch::channel(BTreeSet::new()).0);
            sender.send_if_modified(|known| std::mem::replace(known, mine.clone()) != mine);
        }
    }
}
