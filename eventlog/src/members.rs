//! Membership: which processes are alive and which partitions this process owns. Each process keeps one entry in a
//! bucket whose entries expire 8 s after their last renewal, and every process computes the same assignment from the
//! current entries. Two owners may briefly overlap; fencing in what they write makes the stale owner harmless. A name
//! belongs to one live process; a second process with that name is refused.

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

/// How often this process renews its entry; the entry outlives three missed renewals.
const RENEW_INTERVAL: Duration = Duration::from_secs(2);
/// How often the entries of all members are read.
const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// Timeout of a request, so that the lease is checked again in time.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(1);
/// How long after the last renewal this process gives up its partitions: before its entry expires for the others,
/// including the time of requests in flight.
const LEASE: Duration = Duration::from_secs(6);

/// The live members and the kinds of work each does.
pub type Members = BTreeMap<String, BTreeSet<String>>;

type Owned = Arc<Mutex<BTreeMap<String, watch::Sender<BTreeSet<u16>>>>>;

/// Why a process cannot join.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another live process uses the name.
    #[error("another live process is called {0}; stop it, or give this one its own name (ARGUSIQ_INSTANCE)")]
    NameTaken(String),
    /// The name contains invalid characters or is empty.
    #[error("{0:?} is not a valid process name: use letters, digits, `-` and `_`")]
    InvalidName(String),
    /// The members' bucket failed.
    #[error("the members' bucket does not answer")]
    Bucket(#[from] buckets::Error),
}

/// This process's membership.
pub struct Membership {
    owned: Owned,
    members: watch::Receiver<Members>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Membership {
    /// Joins under a name of the characters `A-Z a-z 0-9 - _`, for the given kinds of work. Returns once this process's
    /// entry is written and the other entries are read. If a dead process left an entry under the name, joining waits
    /// up to 8 s for it to expire; if a live process uses the name, it errors with [`Error::NameTaken`]. The membership
    /// ends when `shutdown` is cancelled.
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

    /// Returns a receiver of the partitions of a kind of work that this process owns. The set is empty for a kind it
    /// did not join for, and while its entry could not be renewed for 6 s.
    pub fn owned(&self, kind: &str) -> watch::Receiver<BTreeSet<u16>> {
        let mut owned = self.owned.lock().unwrap_or_else(PoisonError::into_inner);
        owned.entry(kind.to_owned()).or_insert_with(|| watch::channel(BTreeSet::new()).0).subscribe()
    }

    /// Returns a receiver of the live members.
    pub fn members(&self) -> watch::Receiver<Members> {
        self.members.clone()
    }

    /// Leaves immediately: deletes this process's entry, and the others take over at their next read.
    pub async fn leave(self) {
        self.stop.cancel();
        // The task ends after deleting the entry; an aborted task needs no handling.
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
        // After a freeze, one tick is enough; a burst of missed ticks would only load the server.
        renewal.set_missed_tick_behavior(MissedTickBehavior::Delay);
        reading.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let is_renewal = tokio::select! {
                () = stop.cancelled() => break,
                _ = renewal.tick() => true,
                _ = reading.tick() => false,
            };
            // A process that was frozen has been considered dead by the others, and must notice it before it renews its
            // entry.
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
                "cannot delete this member's entry; it expires on its own"
            );
        }
    }

    async fn renew(&mut self) -> Result<(), Error> {
        // The lease starts before the request: the server starts the entry's lifetime later than that.
        let started = Instant::now();
        self.own.renew().await?;
        self.renewed_at = started;
        Ok(())
    }

    async fn try_renew(&mut self) {
        let member = self.own.name.clone();
        match timeout(REQUEST_TIMEOUT, self.renew()).await {
            Ok(Ok(())) => {}
            // This process was frozen for so long that another one took its name; it owns nothing until that process is
            // gone.
            Ok(Err(error @ Error::NameTaken(_))) => {
                if self.announce(Members::new()) {
                    warn!(member, error = error_chain(&error), "another process has taken this process's name");
                }
            }
            Ok(Err(error)) => warn!(member, error = error_chain(&error), "cannot renew the membership"),
            Err(_) => warn!(member, "timed out renewing the membership"),
        }
    }

    async fn read(&mut self) {
        let Some(entries) = self.read_entries().await else { return };
        let own = entries.get(&self.own.name).is_some_and(|entry| entry.process == self.own.process());
        if own && !self.is_overdue() {
            self.announce(entries.into_iter().map(|(name, entry)| (name, entry.kinds)).collect());
        } else {
            // A list without this process's entry does not show who is alive: after an outage all entries may have
            // expired, and the first process to renew would briefly own everything. An entry that exists but cannot be
            // renewed counts as expired.
            self.try_renew().await;
        }
    }

    /// Gives up all partitions while this process's entry may have expired for the others.
    fn check_lease(&self) {
        if self.is_overdue() {
            self.announce(Members::new());
        }
    }

    fn is_overdue(&self) -> bool {
        self.renewed_at.elapsed() > LEASE
    }

    /// Returns the current entries, or `None` when they could not be read.
    async fn read_entries(&self) -> Option<BTreeMap<String, Entry>> {
        let read = timeout(REQUEST_TIMEOUT, list(&self.log)).await.ok()?;
        read.inspect_err(|error| warn!(error = error_chain(error), "cannot read the members")).ok()
    }

    /// Publishes the members and divides the work; returns whether anything changed.
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
