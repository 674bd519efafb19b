//! Progress of idle readers: when a filtered reader may move its position to the end of the stream although none of the
//! messages there match its filters.

use async_nats::jetstream::consumer::{Consumer, pull};
use tokio::time::Instant;

use super::reader::{Content, OUTDATED, Reader, SessionEnd, interrupted};
use crate::inspect::StreamState;

impl Reader {
    /// Returns whether the source has filters. Only then can its position lag behind the stream's end although it has
    /// read every matching message.
    pub(super) fn is_filtered(&self) -> bool {
        !self.source.filters.is_empty()
    }

    /// Returns when to check the progress again if no message arrives.
    pub(super) fn next_check(&self) -> Instant {
        let idle = self.shared.idle_advance;
        Instant::now() + if self.idle_since.is_some() { idle.min(OUTDATED) } else { idle }
    }

    /// Moves the position past messages that do not match the filters. The stream's end is read before the consumer's
    /// state: if nothing is pending afterwards and every delivered message has arrived, nothing up to that end is
    /// missing.
    pub(super) async fn check_progress(
        &mut self,
        consumer: &Consumer<pull::Config>,
        delivered: u64,
    ) -> Result<(), SessionEnd> {
        let state = self.shared.log.state(self.source.stream).await.map_err(interrupted)?;
        if state.last_sequence <= self.position.unwrap_or(0) {
            return Ok(());
        }
        let info = consumer.get_info().await.map_err(interrupted)?;
        if info.num_pending == 0 && info.delivered.consumer_sequence == delivered {
            self.report_progress(&state).await?;
        }
        Ok(())
    }

    /// Moves the position to the stream's end once the server-side consumer has nothing pending. On a replicated stream
    /// the server that hosts the consumer may lag behind the one that reported the end. The latter is therefore asked
    /// for matching messages, and the position moves only after a second check [`OUTDATED`] later, in case it had been
    /// frozen.
    pub(super) async fn report_progress(&mut self, state: &StreamState) -> Result<(), SessionEnd> {
        let last = state.last_sequence;
        if state.replicas < 2 || self.position.is_some_and(|position| position >= last) {
            return self.advance_to(last).await;
        }
        if self.source.filters.is_empty() || self.has_unread_before(last).await? {
            self.idle_since = None;
            return Ok(());
        }
        match self.idle_since {
            Some((seen, at)) if at.elapsed() >= OUTDATED => {
                self.idle_since = None;
                self.advance_to(seen).await
            }
            Some(_) => Ok(()),
            None => {
                self.idle_since = Some((last, Instant::now()));
                Ok(())
            }
        }
    }

    /// Returns whether the stream holds a matching message after the position, up to `last`.
    async fn has_unread_before(&self, last: u64) -> Result<bool, SessionEnd> {
        let from = self.position.unwrap_or(0) + 1;
        for filter in &self.source.filters {
            let next = self.shared.log.next_message(self.source.stream, filter, from).await.map_err(interrupted)?;
            if next.is_some_and(|message| message.sequence <= last) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn advance_to(&mut self, last: u64) -> Result<(), SessionEnd> {
        if self.position.is_some_and(|position| position >= last) {
            // The first report is sent even without progress, so that a follower of an empty source learns that it is
            // caught up.
            if self.passed_on > 0 {
                return Ok(());
            }
        }
        let last = last.max(self.position.unwrap_or(0));
        self.deliver(Content::Progress(last)).await?;
        self.position = Some(last);
        Ok(())
    }
}
