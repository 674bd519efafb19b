//! Several `process` and `project` processes that join, leave, are killed, or are stopped until they count as dead.
//! Several edges and APIs are tested in `several_edges_and_apis`.

use std::time::Duration;

use crate::api_client::probe;
use crate::fleet::Fleet;
use crate::load::Load;
use crate::platform::Platform;
use crate::wait::{wait_for, wait_until};

/// Longest time until other processes take over, or a process stops.
const TAKEOVER: Duration = Duration::from_secs(10);
/// Longest time until alarms and activities appear on a busy machine, including a takeover.
const SETTLED: Duration = Duration::from_secs(40);
/// How long a process is stopped: longer than its lease, so that others count it as dead.
const STOPPED: Duration = Duration::from_secs(13);
/// Number of partitions of each stage.
const PARTITIONS: u64 = 16;

/// A `process` process and the port of its probe.
struct Stages {
    name: &'static str,
    probe: u16,
}

impl Stages {
    /// Starts the process with a probe on a free port.
    fn start(platform: &mut Platform, name: &'static str, arguments: &[&str]) -> Self {
        let probe = stack::free_port();
        platform.start_as(name, arguments, &[("ARGUSIQ_PROBE__PORT", &probe.to_string())]);
        Self { name, probe }
    }

    /// Returns how many partitions of a stage the process owns.
    fn owned_partitions(&self, stage: &str) -> u64 {
        let ready = probe(&format!("http://127.0.0.1:{}/ready", self.probe)).1;
        ready["facts"]["owned_partitions"][stage].as_f64().unwrap_or(0.0) as u64
    }
}

/// Waits until these processes together own all partitions of a stage, and each owns at least one.
fn wait_until_shared(among: &[&Stages], stage: &str) {
    let names: Vec<_> = among.iter().map(|one| one.name).collect();
    wait_until(&format!("{names:?} share {stage}"), TAKEOVER, || {
        let owned: Vec<_> = among.iter().map(|one| one.owned_partitions(stage)).collect();
        if owned.iter().sum::<u64>() == PARTITIONS && !owned.contains(&0) { Ok(()) } else { Err(owned) }
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_move_between_processes_and_a_resumed_process_duplicates_nothing() {
    let mut platform = Platform::servers_only().await;
    ["api", "ingest", "project"].iter().for_each(|role| platform.start(role));
    let one = Stages::start(&mut platform, "one", &["process"]);
    tokio::task::block_in_place(|| platform.wait_until_ready());
    let api = tokio::task::block_in_place(|| platform.admin());
    let load = Load::start(&platform, 50, 250, 110);
    tokio::task::block_in_place(|| {
        let mut fleet = Fleet::new(&platform, &api, 6);
        // An episode published now must have exactly its alarms and activities.
        let mut assert_works = || {
            fleet.publish_episode();
            fleet.wait_until_settled(&api, SETTLED);
        };
        wait_until_shared(&[&one], "normalizer");
        assert_works();
        let two = Stages::start(&mut platform, "two", &["process"]);
        wait_until_shared(&[&one, &two], "normalizer");
        assert_works();
        let three = Stages::start(&mut platform, "three", &["process"]);
        let four = Stages::start(&mut platform, "four", &["process"]);
        wait_until_shared(&[&one, &two, &three, &four], "rule_evaluator");
        assert_works();
        platform.kill("two");
        wait_until_shared(&[&one, &three, &four], "rule_evaluator");
        assert_works();
        let (status, took) = platform.stop("three");
        assert!(status.success() && took < TAKEOVER, "{status} after {took:?}");
        wait_until_shared(&[&one, &four], "rule_evaluator");
        platform.signal("four", "STOP");
        wait_until_shared(&[&one], "rule_evaluator");
        assert_works();
        wait_for(STOPPED);
        platform.signal("four", "CONT");
        wait_until_shared(&[&one, &four], "rule_evaluator");
        assert_works();
        load.assert_nothing_missing_or_duplicated();
        fleet.assert_history_alarms_and_health(&api);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn stages_and_read_models_run_in_separate_processes_and_unknown_names_are_refused() {
    let mut platform = Platform::servers_only().await;
    ["api", "ingest"].iter().for_each(|role| platform.start(role));
    platform.start_as("first", &["process", "--only", "normalizer", "asset_processor"], &[]);
    platform.start_as("second", &["process", "--only", "asset_combiner", "rule_evaluator", "ticker"], &[]);
    platform.start_as("third", &["process", "--only", "activity_creator"], &[]);
    let boards = ["alarm_board", "activity_board", "asset_health", "system_events", "audit_log", "latest_telemetry"];
    platform.start_as("boards", &[&["project", "--only"], boards.as_slice()].concat(), &[]);
    let others = ["device_directory", "asset_directory", "certificate_register", "rule_book", "tenant_register"];
    platform.start_as("others", &[&["project", "--only"], others.as_slice(), &["type_catalogue"]].concat(), &[]);
    platform.start_as("history", &["project", "--only", "telemetry_history"], &[]);
    tokio::task::block_in_place(|| {
        platform.wait_until_ready();
        let api = platform.admin();
        let mut fleet = Fleet::new(&platform, &api, 2);
        fleet.publish_episode();
        fleet.assert_history_alarms_and_health(&api);
        for (role, word) in [("process", "stage"), ("project", "projection")] {
            platform.start_as("refused", &[role, "--only", "nonsense"], &[]);
            let (status, log) = platform.wait_for_exit("refused");
            let errors = log.lines().filter(|line| line.starts_with("argusiq: ")).collect::<Vec<_>>();
            assert!(!status.success() && errors.last().unwrap().contains("nonsense"), "{word}: {log}");
        }
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn read_models_move_between_processes_and_a_resumed_process_duplicates_nothing() {
    let mut platform = Platform::servers_only().await;
    ["api", "ingest", "process"].iter().for_each(|role| platform.start(role));
    platform.start_as("one", &["project"], &[]);
    tokio::task::block_in_place(|| platform.wait_until_ready());
    let api = tokio::task::block_in_place(|| platform.admin());
    let load = Load::start(&platform, 50, 250, 70);
    // The first process owns every read model; the second is on standby.
    platform.start_as("two", &["project"], &[]);
    tokio::task::block_in_place(|| {
        let mut fleet = Fleet::new(&platform, &api, 4);
        // An episode published now must have exactly its alarms and activities.
        let mut assert_works = || {
            fleet.publish_episode();
            fleet.wait_until_settled(&api, SETTLED);
        };
        assert_works();
        platform.signal("one", "STOP");
        assert_works();
        wait_for(STOPPED);
        platform.signal("one", "CONT");
        assert_works();
        platform.kill("two");
        assert_works();
        platform.start_as("three", &["project"], &[]);
        let (status, took) = platform.stop("one");
        assert!(status.success() && took < TAKEOVER, "{status} after {took:?}");
        assert_works();
        load.assert_nothing_missing_or_duplicated();
        fleet.assert_history_alarms_and_health(&api);
    });
}
