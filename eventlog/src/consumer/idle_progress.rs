//! When a reader may say that nothing up to a sequence concerns its source any more, although no message of it came from
//! there. Content does not live here: what readers do with messages.

use async_nats::jetstream::consumer::{Consumer, pull};
use tokio::time::Instant;

use super::reader::{Content, OUTDATED, Reader, SessionEnd, interrupted};
use crate::inspect::StreamState;

impl Reader {
    /// Only a filtered source can be behind the stream's end although it has read everything that concerns it.
    pub(super) fn is_filtered(&self) -> bool {
        !self.source.filters.is_empty()
    }

    /// When to look again where nothing comes.
    pub(super) fn next_check(&self) -> Instant {
        let idle = self.shared.idle_advance;
        Instant::now() + if self.idle_since.is_some() { idle.min(OUTDATED) } else { idle }
    }

    /// Moves the position past what does not concern this source. The stream's end is read first: when afterwards
    /// nothing is pending and everything delivered has arrived, nothing up to that end is missing.
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

    /// Says that all is quiet up to the stream's end, when the consumer has nothing more. Where several servers hold the
    /// stream, the consumer's may be behind the one that told of the end: then the latter is asked what there is, and
    /// asked again a while later, lest it was one that had stood still.
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

    /// Tells whether the stream holds something of this source behind the position, up to a sequence.
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
            // Said once at the start nevertheless, so that a follower of an empty source knows that it is caught up.
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
