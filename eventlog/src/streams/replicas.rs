//! Changes the number of replicas of streams and buckets on a running system. No other setting is touched, so any other
//! difference still fails the start.

use std::time::Duration;

use async_nats::jetstream::stream::Info;
use tokio::time::{Instant, sleep};

use super::declare::{Difference, Error, REPLICAS};
use crate::connection::Log;

/// How long the new replicas of all streams may take to catch up.
const SYNC_DEADLINE: Duration = Duration::from_secs(600);
const POLL_INTERVAL: Duration = Duration::from_millis(100);

impl Log {
    /// Changes the number of replicas of every stream and bucket to the configured number, and returns what differed
    /// once all replicas are in sync. Writers and readers keep running. Errors when the cluster has too few servers.
    pub async fn change_replicas(&self) -> Result<Vec<Difference>, Error> {
        let mut changed = Vec::new();
        let declared: Vec<_> = self.declared().collect();
        for declared in &declared {
            let Some(mut present) = self.present(&declared.name).await? else { continue };
            if present.num_replicas == declared.num_replicas {
                continue;
            }
            changed.push(Difference {
                stream: declared.name.clone(),
                setting: REPLICAS,
                declared: declared.num_replicas.to_string(),
                present: present.num_replicas.to_string(),
            });
            present.num_replicas = declared.num_replicas;
            self.update(present).await?;
        }
        let deadline = Instant::now() + SYNC_DEADLINE;
        for difference in &changed {
            self.wait_in_sync(&difference.stream, deadline).await?;
        }
        Ok(changed)
    }

    /// Waits until every replica of a stream exists and is up to date.
    async fn wait_in_sync(&self, name: &str, deadline: Instant) -> Result<(), Error> {
        loop {
            // While replicas are added a stream may briefly have no leader, and then no server answers.
            let info = self.jetstream().get_stream(name).await;
            if info.is_ok_and(|stream| is_in_sync(stream.cached_info())) {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(Error::Incomplete { stream: name.to_owned(), seconds: SYNC_DEADLINE.as_secs() });
            }
            sleep(POLL_INTERVAL).await;
        }
    }
}

fn is_in_sync(info: &Info) -> bool {
    let others = info.config.num_replicas.saturating_sub(1);
    match &info.cluster {
        None => others == 0,
        Some(group) => {
            group.replicas.len() == others && group.replicas.iter().all(|copy| copy.current && !copy.offline)
        }
    }
}
