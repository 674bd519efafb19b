//! The platform with its events in PostgreSQL: what a command changes is seen, kills lose nothing, read models are rebuilt
//! equal, and another choice than that of the first start is refused. The scenes are those of the other files.

use std::time::Duration;

use stack::Server;

use crate::load::Load;
use crate::platform::{Platform, ROLES};
use crate::wait::{wait_for, wait_until};
use crate::{command_to_view, nothing_lost_when_killed, replay_equals_live};

const CHOICE: (&str, &str) = ("ARGUSIQ_EVENT_STORE", "postgres");
/// Time from one kill to the next.
const BETWEEN: Duration = Duration::from_secs(8);

#[test]
fn a_command_becomes_what_every_reader_sees() {
    command_to_view::seen_in_list_detail_and_history(&Platform::up_with(&[CHOICE]));
}

#[tokio::test(flavor = "multi_thread")]
async fn dropped_read_models_are_rebuilt_equal() {
    let mut platform = Platform::separate_roles_with(&[CHOICE]).await;
    tokio::task::block_in_place(|| replay_equals_live::rebuilt_equal(&mut platform));
}

/// The role that relays, the one that only appends, and the servers between them, in turn.
#[tokio::test(flavor = "multi_thread")]
async fn kills_under_load_lose_nothing_and_relay_nothing_twice() {
    let mut platform = Platform::separate_roles_with(&[CHOICE]).await;
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
    tokio::task::block_in_place(|| nothing_lost_when_killed::no_alarm_is_there_twice(&platform));
    the_log_is_a_copy(&platform).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_choice_than_that_of_the_first_start_is_refused() {
    let platform = Platform::servers_only().await;
    for role in ROLES.into_iter().filter(|role| ["api", "process"].contains(role)) {
        let line = platform.run_refused(&[role], &[CHOICE]);
        assert!(line.contains("stores its events in jetstream") && line.contains("event_store"), "{role}: {line}");
    }
    let told = platform.run(&["doctor"]);
    assert!(told.contains("event store: jetstream"), "{told}");
}

/// Every stored message is in JetStream, as often as it is stored.
async fn the_log_is_a_copy(platform: &Platform) {
    let urls = platform.stack.as_ref().expect("servers of the test").urls().clone();
    let log = eventlog::Log::connect(eventlog::Settings::new(&urls.nats)).await.unwrap();
    for stream in eventlog::Stream::DOMAIN {
        let statement = format!(
            "SELECT position || ' ' || encode(payload, 'hex') FROM event_store WHERE stream = '{stream}' ORDER BY position"
        );
        let stored = stack::testing::sql(&urls.postgres, &statement).await.unwrap();
        until_is(&log, stream, stored.len() as u64).await;
        for (position, row) in (1..).zip(&stored) {
            let message = log.get_message(stream, position).await.unwrap().unwrap();
            let payload: String = message.payload.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(*row, format!("{position} {payload}"), "{stream}");
        }
    }
}

async fn until_is(log: &eventlog::Log, stream: eventlog::Stream, last: u64) {
    let runtime = tokio::runtime::Handle::current();
    tokio::task::block_in_place(|| {
        wait_until("the log has what is stored", Duration::from_secs(20), || {
            let there = runtime.block_on(log.last_sequence(stream)).unwrap();
            if there == last { Ok(()) } else { Err(format!("{stream}: {there} of {last}")) }
        });
    });
}
