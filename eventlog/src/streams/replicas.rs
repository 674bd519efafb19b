//! Changes in how many copies streams and buckets are kept, on a running system. Nothing else of a stream is changed
//! here, so that a difference in something else still stops the start.

use std::time::Duration;

use async_nats::jetstream::stream::Info;
use tokio::time::{Instant, sleep};

use super::declare::{Difference, Error, REPLICAS};
use crate::connection::Log;

/// How long the new copies of all streams may take to be complete.
const COMPLETE_WITHIN: Duration = Duration::from_secs(600);
const LOOK_AGAIN: Duration = Duration::from_millis(100);

impl Log {
    /// Changes the number of copies of every stream and bucket to the configured one, and returns what differed once
    /// all copies are complete. Writers and readers go on meanwhile. Errors when the cluster has too few servers.
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
        let deadline = Instant::now() + COMPLETE_WITHIN;
        for difference in &changed {
            self.complete(&difference.stream, deadline).await?;
        }
        Ok(changed)
    }

    /// Waits until every copy of a stream is there and up to date.
    async fn complete(&self, name: &str, deadline: Instant) -> Result<(), Error> {
        loop {
            // While a stream gets its new copies it may have no leader for a moment, and then nobody answers.
            let info = self.jetstream().get_stream(name).await;
            if info.is_ok_and(|stream| is_complete(stream.cached_info())) {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(Error::Incomplete { stream: name.to_owned(), seconds: COMPLETE_WITHIN.as_secs() });
            }
            sleep(LOOK_AGAIN).await;
        }
    }
}

fn is_complete(info: &Info) -> bool {
    let others = info.config.num_replicas.saturating_sub(1);
    match &info.cluster {
        None => others == 0,
        Some(group) => {
            group.replicas.len() == others && group.replicas.iter().all(|copy| copy.current && !copy.offline)
        }
    }
}
