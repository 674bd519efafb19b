//! The in-process cache of loaded aggregates: bounded, and as fresh as its feed (`cache_feed`).

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::head::Head;

/// How many of the newest messages' subjects the cache remembers. A state is not cached if more messages than this
/// passed while it was being read, because the memory of a newer message of its aggregate may already be gone.
const REMEMBERED_MESSAGES: usize = 16_384;

/// Aggregate states by subject. Without a live feed nothing is stored or returned, since commits of other processes
/// would go unnoticed.
pub(super) struct Cache<A> {
    inner: Mutex<Inner<A>>,
}

/// Taken before the log is read or written; decides whether the result may still be cached afterwards.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ticket {
    epoch: u64,
    observed: u64,
}

/// Two generations approximate least-recently-used eviction: an entry that was not used during a whole generation is
/// dropped.
struct Inner<A> {
    generation_size: usize,
    young: HashMap<String, Arc<Head<A>>>,
    old: HashMap<String, Arc<Head<A>>>,
    live: bool,
    epoch: u64,
    observed: u64,
    newest: HashMap<String, u64>,
    order: VecDeque<(u64, String)>,
}

impl<A> Cache<A> {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            inner: Mutex::new(Inner {
                generation_size: capacity / 2,
                young: HashMap::new(),
                old: HashMap::new(),
                live: false,
                epoch: 0,
                observed: 0,
                newest: HashMap::new(),
                order: VecDeque::new(),
            }),
        }
    }

    /// Clears the cache and starts serving: a feed observes every message from now on.
    pub(super) fn go_live(&self) {
        let mut inner = self.lock();
        inner.clear();
        inner.live = true;
    }

    /// Clears the cache and stores nothing until a feed is live again.
    pub(super) fn stop(&self) {
        let mut inner = self.lock();
        inner.clear();
        inner.live = false;
    }

    pub(super) fn ticket(&self) -> Ticket {
        let inner = self.lock();
        Ticket { epoch: inner.epoch, observed: inner.observed }
    }

    pub(super) fn get(&self, subject: &str) -> Option<Arc<Head<A>>> {
        self.lock().get(subject)
    }

    /// Caches a state that was read or written since the ticket was taken, unless a newer one is known to exist.
    pub(super) fn put(&self, ticket: Ticket, subject: &str, head: Arc<Head<A>>) {
        let mut inner = self.lock();
        let still_remembered = inner.observed - ticket.observed.min(inner.observed) < REMEMBERED_MESSAGES as u64;
        let outdated = inner.newest.get(subject).is_some_and(|newest| *newest > head.position);
        if inner.epoch == ticket.epoch && still_remembered && !outdated && head.version > 0 {
            inner.insert_newer(subject, head);
        }
    }

    pub(super) fn remove(&self, subject: &str) {
        let mut inner = self.lock();
        inner.young.remove(subject);
        inner.old.remove(subject);
    }

    /// Records that the log has a message at `sequence`; returns the cached state if it is older than that message.
    pub(super) fn observe(&self, subject: &str, sequence: u64) -> Option<Arc<Head<A>>> {
        let mut inner = self.lock();
        inner.remember(subject, sequence);
        inner.peek(subject).filter(|head| head.position < sequence).cloned()
    }

    /// Replaces a state with the one after the message just observed.
    pub(super) fn advance(&self, subject: &str, head: Arc<Head<A>>) {
        self.lock().insert_newer(subject, head);
    }

    fn lock(&self) -> MutexGuard<'_, Inner<A>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<A> Inner<A> {
    fn clear(&mut self) {
        self.epoch += 1;
        self.young.clear();
        self.old.clear();
        self.newest.clear();
        self.order.clear();
    }

    fn peek(&self, subject: &str) -> Option<&Arc<Head<A>>> {
        self.young.get(subject).or_else(|| self.old.get(subject))
    }

    fn get(&mut self, subject: &str) -> Option<Arc<Head<A>>> {
        if let Some(head) = self.young.get(subject) {
            return Some(head.clone());
        }
        let (subject, head) = self.old.remove_entry(subject)?;
        self.insert(subject, head.clone());
        Some(head)
    }

    fn insert_newer(&mut self, subject: &str, head: Arc<Head<A>>) {
        if self.live && self.peek(subject).is_none_or(|present| present.position < head.position) {
            self.old.remove(subject);
            self.insert(subject.to_owned(), head);
        }
    }

    fn insert(&mut self, subject: String, head: Arc<Head<A>>) {
        if self.generation_size == 0 {
            return;
        }
        if self.young.len() >= self.generation_size && !self.young.contains_key(&subject) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(subject, head);
    }

    fn remember(&mut self, subject: &str, sequence: u64) {
        self.observed += 1;
        self.newest.insert(subject.to_owned(), sequence);
        self.order.push_back((sequence, subject.to_owned()));
        if self.order.len() > REMEMBERED_MESSAGES
            && let Some((sequence, subject)) = self.order.pop_front()
            && self.newest.get(&subject) == Some(&sequence)
        {
            self.newest.remove(&subject);
        }
    }
}

#[cfg(test)]
mod tests;
