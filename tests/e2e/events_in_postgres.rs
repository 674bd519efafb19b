//! The platform with its events in PostgreSQL: changes reach the read models, kills lose nothing, read models are
//! rebuilt equal, and changing the event store after the first start is refused. Shares its scenarios with other test
//! files.

use std::time::Duration;

use stack::Server;

use crate::load::Load;
use crate::platform::{Platform, ROLES};
use crate::wait::{wait_for, wait_until};
use crate::{command_to_view, nothing_lost_when_killed, replay_equals_live};

/// Selects PostgreSQL as the event store.
const POSTGRES_STORE: (&str, &str) = ("ARGUSIQ_EVENT_STORE", "postgres");
/// Time between two kills.
const BETWEEN: Duration = Duration::from_secs(8);

#[test]
fn a_change_appears_in_list_detail_and_history() {
    command_to_view::assert_list_detail_and_history(&Platform::up_with(&[POSTGRES_STORE]));
}

#[tokio::test(flavor = "multi_thread")]
async fn dropped_read_models_are_rebuilt_equal() {
    let mut platform = Platform::separate_roles_with(&[POSTGRES_STORE]).await;
    tokio::task::block_in_place(|| replay_equals_live::assert_rebuilt_equal(&mut platform));
}

/// Kills, in turn, the role that relays events to JetStream, a role that only appends, and both servers in between.
#[tokio::test(flavor = "multi_thread")]
async fn kills_under_load_neither_lose_nor_duplicate_events() {
    let mut platform = Platform::separate_roles_with(&[POSTGRES_STORE]).await;
    let load = Load::start(&platform, 50, 400, 60);
    for role in ["api", "process"] {
        wait_for(BETWEEN);
        platform.kill(role);
        platform.start(role);
    }
    for server in [Server::Postgres, Server::Nats] {
        wait_for(BETWEEN);
        let stack = platform.stack.as_mut().expect("servers of the test");
        stack.kill(server).await.expect("a kill");
        stack.restart(server).await.expect("a restart");
    }
    tokio::task::block_in_place(|| load.assert_nothing_missing_or_duplicated());
    tokio::task::block_in_place(|| nothing_lost_when_killed::assert_no_duplicate_alarms(&platform));
    assert_log_equals_event_store(&platform).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changing_the_event_store_after_the_first_start_is_refused() {
    let platform = Platform::servers_only().await;
    for role in ROLES.into_iter().filter(|role| ["api", "process"].contains(role)) {
        let line = platform.run_refused(&[role], &[POSTGRES_STORE]);
        assert!(line.contains("stores its events in jetstream") && line.contains("event_store"), "{role}: {line}");
    }
    let checks = platform.run(&["doctor"]);
    assert!(checks.contains("event store: jetstream"), "{checks}");
}

/// Asserts that JetStream holds exactly the messages of the event store, at the same positions.
async fn assert_log_equals_event_store(platform: &Platform) {
    let urls = platform.stack.as_ref().expect("servers of the test").urls().clone();
    let log = eventlog::Log::connect(eventlog::Settings::new(&urls.nats)).await.unwrap();
    for stream in eventlog::Stream::DOMAIN {
        let statement = format!(
            "SELECT position || ' ' || encode(payload, 'hex') FROM event_store WHERE stream = '{stream}' ORDER BY position"
        );
        let stored = stack::testing::sql(&urls.postgres, &statement).await.unwrap();
        wait_until_relayed(&log, stream, stored.len() as u64).await;
        for (position, row) in (1..).zip(&stored) {
            let message = log.get_message(stream, position).await.unwrap().unwrap();
            let payload: String = message.payload.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(*row, format!("{position} {payload}"), "{stream}");
        }
    }
}

async fn wait_until_relayed(log: &eventlog::Log, stream: eventlog::Stream, last: u64) {
    let runtime = tokio::runtime::Handle::current();
    tokio::task::block_in_place(|| {
        wait_until("JetStream has every stored event", Duration::from_secs(20), || {
            let relayed = runtime.block_on(log.last_sequence(stream)).unwrap();
            if relayed == last { Ok(()) } else { Err(format!("{stream}: {relayed} of {last}")) }
        });
    });
}
