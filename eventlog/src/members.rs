//! Which processes are alive and which partitions this one owns. Each process keeps one entry in a bucket whose
//! entries vanish 8 s after their last renewal, and everyone computes the same division from the entries there are.
//! Two owners may overlap for a moment; fences in what they write make the stale one harmless.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::buckets::{self, Bucket, BucketName};
use crate::connection::Log;
use crate::{metric_names, rendezvous};

/// How often the own entry is renewed; the entry outlives three missed renewals.
const RENEWAL: Duration = Duration::from_secs(2);
/// How often the entries are read.
const READING: Duration = Duration::from_millis(500);
/// How long a request may hold up the next look at the own lease.
const PATIENCE: Duration = Duration::from_secs(1);
/// After how long without renewal the own partitions are given up: before the entry vanishes for the others, with the
/// requests under way counted in.
const LEASE: Duration = Duration::from_secs(6);

/// The members that are alive and the kinds of work each does.
pub type Members = BTreeMap<String, BTreeSet<String>>;

type Owned = Arc<Mutex<BTreeMap<String, watch::Sender<BTreeSet<u16>>>>>;

/// This process among the members.
pub struct Membership {
    owned: Owned,
    members: watch::Receiver<Members>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    kinds: BTreeSet<String>,
}

impl Membership {
    /// Joins under an id of the characters `A-Z a-z 0-9 - _` that no other process has, for the given kinds of work.
    /// Returns once the own entry is written and the others were read. It leaves when `shutdown` is cancelled.
    pub async fn join(
        log: &Log,
        member: &str,
        kinds: &[&str],
        shutdown: CancellationToken,
    ) -> Result<Membership, buckets::Error> {
        if member.contains('.') {
            return Err(buckets::Error::Key(member.to_owned()));
        }
        let kinds: BTreeSet<String> = kinds.iter().map(|kind| (*kind).to_owned()).collect();
        let owned: Owned = Arc::default();
        let (announce, members) = watch::channel(Members::new());
        let bucket = log.bucket(BucketName::Members).await?;
        let renewed_at = Instant::now();
        let mut keeper = Keeper {
            log: log.clone(),
            bucket,
            member: member.to_owned(),
            kinds,
            owned: owned.clone(),
            announce,
            renewed_at,
        };
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
    bucket: Bucket,
    member: String,
    kinds: BTreeSet<String>,
    owned: Owned,
    announce: watch::Sender<Members>,
    renewed_at: Instant,
}

impl Keeper {
    async fn keep(mut self, stop: CancellationToken) {
        let (mut renewal, mut reading) = (interval(RENEWAL), interval(READING));
        renewal.set_missed_tick_behavior(MissedTickBehavior::Delay);
        reading.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                _ = renewal.tick() => self.try_renew().await,
                _ = reading.tick() => self.read().await,
            }
            self.look_at_lease();
        }
        self.announce(Members::new());
        if let Err(error) = self.bucket.delete(&self.member).await {
            warn!(member = self.member, %error, "could not take leave; the entry vanishes by itself");
        }
    }

    async fn renew(&mut self) -> Result<(), buckets::Error> {
        // The lease runs from before the request: the server's own clock for the entry starts later than this one.
        let started = Instant::now();
        let entry = serde_json::to_vec(&Entry { kinds: self.kinds.clone() }).unwrap_or_default();
        self.bucket.put(&self.member, entry.into()).await?;
        self.renewed_at = started;
        Ok(())
    }

    async fn try_renew(&mut self) {
        let member = self.member.clone();
        match timeout(PATIENCE, self.renew()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => warn!(member, %error, "could not renew the membership"),
            Err(_) => warn!(member, "could not renew the membership in time"),
        }
    }

    async fn read(&mut self) {
        match self.present().await {
            Some(members) if members.contains_key(&self.member) && !self.is_overdue() => self.announce(members),
            // An answer without the own entry is no picture of who is alive: after an outage everyone's entry may have
            // vanished, and whoever renewed first would take all for a moment. An entry that is there and cannot be
            // renewed is as good as gone.
            Some(_) => self.try_renew().await,
            None => {}
        }
    }

    /// Gives everything up while the own entry may be gone for the others.
    fn look_at_lease(&self) {
        if self.is_overdue() {
            self.announce(Members::new());
        }
    }

    fn is_overdue(&self) -> bool {
        self.renewed_at.elapsed() > LEASE
    }

    /// Returns the entries there are, or none when they could not be read.
    async fn present(&self) -> Option<Members> {
        let name = self.log.settings().bucket_name(BucketName::Members);
        let root = format!("$KV.{name}.");
        let (stream, all) = (format!("KV_{name}"), [format!("{root}*")]);
        let read = timeout(PATIENCE, self.log.last_of_each(&stream, &all)).await.ok()?;
        let entries = read.inspect_err(|error| warn!(%error, "could not read the members")).ok()?;
        let entries = entries.into_iter().filter_map(|got| {
            let entry: Entry = serde_json::from_slice(&got.payload).ok()?;
            Some((got.subject.strip_prefix(&root)?.to_owned(), entry.kinds))
        });
        Some(entries.collect())
    }

    fn announce(&self, members: Members) {
        let changed = self.announce.send_if_modified(|known| {
            let changed = *known != members;
            if changed {
                info!(member = self.member, members = ?members.keys().collect::<Vec<_>>(), "the members changed");
                known.clone_from(&members);
            }
            changed
        });
        if changed {
            self.divide(&members);
        }
    }

    fn divide(&self, members: &Members) {
        for kind in &self.kinds {
            let peers: BTreeSet<String> =
                members.iter().filter(|(_, kinds)| kinds.contains(kind)).map(|(member, _)| member.clone()).collect();
            let mine = rendezvous::owned(&self.member, &peers, kind);
            metrics::gauge!(metric_names::MEMBERS, "kind" => kind.clone()).set(peers.len() as f64);
            metrics::gauge!(metric_names::OWNED_PARTITIONS, "kind" => kind.clone()).set(mine.len() as f64);
            let mut owned = self.owned.lock().unwrap_or_else(PoisonError::into_inner);
            let sender = owned.entry(kind.clone()).or_insert_with(|| watch::channel(BTreeSet::new()).0);
            sender.send_if_modified(|known| std::mem::replace(known, mine.clone()) != mine);
        }
    }
}
