//! Reports each activity once when it becomes overdue. It acts only through commands, and an activity accepts the
//! command once, so two concurrent watchers do no harm.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use commands::{CommandContext, Commands};
use domain::AnyEvent;
use domain::activity::{Activity, ActivityCommand, ActivityEvent};
use domain::ids::{ActivityId, OrganizationId, derive};
use eventlog::{Log, Message, Positions, Source, Stream, Upcasters, decode_events, error_chain, follow};
use metrics::counter;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use crate::clock::Clock;
use crate::metric_names;

/// Kind of ownership; the owner of its partition 0 watches.
pub const NAME: &str = "overdue_watch";
/// Time between two checks.
const CHECK_PERIOD: Duration = Duration::from_secs(5);
/// The most commands of one check; the next check handles the rest.
const MAX_COMMANDS: usize = 500;

/// The open activities that are not yet reported as overdue, with organisation and due time.
#[derive(Debug, Default)]
struct OpenActivities(HashMap<ActivityId, (OrganizationId, DateTime<Utc>)>);

impl OpenActivities {
    fn fold(&mut self, organization: OrganizationId, id: ActivityId, event: &ActivityEvent) {
        match event {
            ActivityEvent::ActivityCreated { order } => {
                self.0.extend(order.due_at.map(|due_at| (id, (organization, due_at))));
            }
            ActivityEvent::ActivityOverdue { .. }
            | ActivityEvent::ActivityCompleted { .. }
            | ActivityEvent::ActivityCancelled { .. } => {
                self.0.remove(&id);
            }
            ActivityEvent::ActivityAssigned { .. }
            | ActivityEvent::ActivityStarted {}
            | ActivityEvent::ActivityItemChecked { .. }
            | ActivityEvent::ActivityCommented { .. } => {}
        }
    }

    /// Lists the activities that are due, earliest due time first, at most [`MAX_COMMANDS`].
    fn due(&self, now: DateTime<Utc>) -> Vec<(OrganizationId, ActivityId)> {
        let due = self.0.iter().filter(|(_, (_, due_at))| *due_at <= now);
        let mut found: Vec<_> = due.map(|(id, (organization, due_at))| (*due_at, *id, *organization)).collect();
        found.sort_unstable();
        found.into_iter().map(|(_, id, organization)| (organization, id)).take(MAX_COMMANDS).collect()
    }
}

/// Reports overdue activities while this process owns the watch, until `shutdown`.
pub async fn run(
    log: Log,
    commands: Commands,
    clock: Clock,
    mut owned: watch::Receiver<BTreeSet<u16>>,
    shutdown: CancellationToken,
) {
    while shutdown
        .run_until_cancelled(owned.wait_for(|owned| owned.contains(&0)))
        .await
        .is_some_and(|owned| owned.is_ok())
    {
        let ownership = shutdown.child_token();
        let watching = watch_while_owner(&log, &commands, &clock, ownership.clone());
        // Losing ownership drops the watch together with its fold of the open activities.
        tokio::select! {
            () = watching => {}
            _ = owned.wait_for(|owned| !owned.contains(&0)) => {}
        }
        ownership.cancel();
    }
}

async fn watch_while_owner(log: &Log, commands: &Commands, clock: &Clock, ownership: CancellationToken) {
    let open = Arc::new(Mutex::new(OpenActivities::default()));
    let (folded, upcasters) = (open.clone(), Upcasters::of(domain::CONVERSIONS));
    let fold = move |message: &Message| apply(&folded, message, &upcasters);
    // The first checks may run before the fold has caught up; a later check finds what they miss.
    let _follower = follow(log, vec![Source::all(Stream::EsActivity)], Positions::new(), fold, ownership.clone()).await;
    let mut period = interval(CHECK_PERIOD);
    period.set_missed_tick_behavior(MissedTickBehavior::Skip);
    while ownership.run_until_cancelled(period.tick()).await.is_some() {
        let now = clock();
        let due = open.lock().unwrap_or_else(PoisonError::into_inner).due(now);
        for (organization, id) in due {
            if ownership.is_cancelled() {
                return;
            }
            note_overdue(commands, organization, id, now).await;
        }
    }
}

fn apply(open: &Mutex<OpenActivities>, message: &Message, upcasters: &Upcasters) {
    let events = match decode_events(message, upcasters) {
        Ok(events) => events,
        Err(failure) => {
            error!(position = message.sequence, error = error_chain(&failure), "cannot decode a stored event");
            counter!(metric_names::UNREADABLE_EVENTS).increment(1);
            return;
        }
    };
    let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
    for event in events {
        let (organization, id) = (event.organization.parse(), event.aggregate_id.parse());
        let known = AnyEvent::decode(&event.aggregate_type, &event.event_type, event.payload);
        if let (Ok(AnyEvent::Activity(known)), Ok(organization), Ok(id)) = (known, organization, id) {
            open.fold(organization, ActivityId(id), &known);
        }
    }
}

async fn note_overdue(commands: &Commands, organization: OrganizationId, id: ActivityId, now: DateTime<Utc>) {
    let context = CommandContext::system(NAME, organization, derive(id.0, &[NAME]));
    let outcome = match commands.execute::<Activity>(&context, id.0, ActivityCommand::NoteOverdue { now }).await {
        Ok(_) => "done",
        Err(failure) => {
            // The next check retries.
            warn!(activity = %id, error = error_chain(&failure), "cannot record that an activity is overdue");
            "given_up"
        }
    };
    counter!(metric_names::COMMANDS, "stage" => NAME, "outcome" => outcome).increment(1);
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use domain::activity::WorkOrder;
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    const ACME: OrganizationId = OrganizationId(Uuid::from_u128(1));

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
    }

    fn created(due: Option<i64>) -> ActivityEvent {
        let order = json!({"name": "look", "target_type": "asset", "target_id": Uuid::nil(), "priority": "low",
            "due_at": due.map(at), "checklist": []});
        ActivityEvent::ActivityCreated { order: serde_json::from_value::<WorkOrder>(order).unwrap() }
    }

    #[test]
    fn open_activities_are_due_in_order_until_they_end_or_are_reported() {
        let id = |n| ActivityId(Uuid::from_u128(n));
        let mut open = OpenActivities::default();
        [(1, Some(20)), (2, Some(10)), (3, Some(10)), (4, None)]
            .into_iter()
            .for_each(|(n, due)| open.fold(ACME, id(n), &created(due)));
        open.fold(ACME, id(3), &ActivityEvent::ActivityCompleted { note: None });
        assert_eq!(open.due(at(9)), []);
        assert_eq!(open.due(at(20)), [(ACME, id(2)), (ACME, id(1))]);
        open.fold(ACME, id(2), &ActivityEvent::ActivityOverdue { due_at: at(10) });
        open.fold(ACME, id(1), &ActivityEvent::ActivityStarted {});
        assert_eq!(open.due(at(20)), [(ACME, id(1))]);
    }
}
