//! Several processes of the stages and of the read models: they join, leave, die, and stand still until they are taken for
//! dead. What does not live here: doors and APIs.

use std::time::Duration;

use crate::api_client::probe;
use crate::fleet::Fleet;
use crate::load::Load;
use crate::platform::Platform;
use crate::wait::{wait_for, wait_until};

/// How soon what a process did is done by others.
const MOVED: Duration = Duration::from_secs(10);
/// How long consequences may take on a busy machine, with the move counted in.
const SETTLED: Duration = Duration::from_secs(40);
/// How long a process stands still: longer than anybody takes it for alive.
const STILL: Duration = Duration::from_secs(13);
/// Partitions of each stage.
const PARTITIONS: u64 = 16;

/// A process of the stages, and where it answers how it is.
struct Stages {
    name: &'static str,
    probe: u16,
}

impl Stages {
    fn start(platform: &mut Platform, name: &'static str, arguments: &[&str]) -> Self {
        let probe = stack::free_port();
        platform.start_as(name, arguments, &[("ARGUSIQ_PROBE__PORT", &probe.to_string())]);
        Self { name, probe }
    }

    fn owned(&self, stage: &str) -> u64 {
        let told = probe(&format!("http://127.0.0.1:{}/ready", self.probe)).1;
        told["facts"]["owned_partitions"][stage].as_f64().unwrap_or(0.0) as u64
    }
}

/// Waits until these processes own all partitions between them, each some.
fn shared(among: &[&Stages], stage: &str) {
    let names: Vec<_> = among.iter().map(|one| one.name).collect();
    wait_until(&format!("{names:?} share {stage}"), MOVED, || {
        let owned: Vec<_> = among.iter().map(|one| one.owned(stage)).collect();
        if owned.iter().sum::<u64>() == PARTITIONS && !owned.contains(&0) { Ok(()) } else { Err(owned) }
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn stages_move_with_their_processes_and_a_woken_one_does_nothing_twice() {
    let mut platform = Platform::servers_only().await;
    ["api", "ingest", "project"].iter().for_each(|role| platform.start(role));
    let one = Stages::start(&mut platform, "one", &["process"]);
    tokio::task::block_in_place(|| platform.wait_until_ready());
    let api = tokio::task::block_in_place(|| platform.admin());
    let load = Load::start(&platform, 50, 250, 110);
    tokio::task::block_in_place(|| {
        let mut fleet = Fleet::new(&platform, &api, 6);
        let mut goes_on = || {
            fleet.publish_episode();
            fleet.wait_until_settled(&api, SETTLED);
        };
        shared(&[&one], "normalizer");
        goes_on();
        let two = Stages::start(&mut platform, "two", &["process"]);
        shared(&[&one, &two], "normalizer");
        goes_on();
        let three = Stages::start(&mut platform, "three", &["process"]);
        let four = Stages::start(&mut platform, "four", &["process"]);
        shared(&[&one, &two, &three, &four], "rule_evaluator");
        goes_on();
        platform.kill("two");
        shared(&[&one, &three, &four], "rule_evaluator");
        goes_on();
        let (status, took) = platform.stop("three");
        assert!(status.success() && took < MOVED, "{status} after {took:?}");
        shared(&[&one, &four], "rule_evaluator");
        platform.signal("four", "STOP");
        shared(&[&one], "rule_evaluator");
        goes_on();
        wait_for(STILL);
        platform.signal("four", "CONT");
        shared(&[&one, &four], "rule_evaluator");
        goes_on();
        load.assert_nothing_missing_or_duplicated();
        fleet.assert_history_alarms_and_health(&api);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn stages_and_read_models_run_by_themselves_and_unknown_ones_are_refused() {
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
            let said = log.lines().filter(|line| line.starts_with("argusiq: ")).collect::<Vec<_>>();
            assert!(!status.success() && said.last().unwrap().contains("nonsense"), "{word}: {log}");
        }
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn read_models_move_with_their_processes_and_a_woken_one_does_nothing_twice() {
    let mut platform = Platform::servers_only().await;
    ["api", "ingest", "process"].iter().for_each(|role| platform.start(role));
    platform.start_as("one", &["project"], &[]);
    tokio::task::block_in_place(|| platform.wait_until_ready());
    let api = tokio::task::block_in_place(|| platform.admin());
    let load = Load::start(&platform, 50, 250, 70);
    // The first has everything; the second stands by.
    platform.start_as("two", &["project"], &[]);
    tokio::task::block_in_place(|| {
        let mut fleet = Fleet::new(&platform, &api, 4);
        let mut goes_on = || {
            fleet.publish_episode();
            fleet.wait_until_settled(&api, SETTLED);
        };
        goes_on();
        platform.signal("one", "STOP");
        goes_on();
        wait_for(STILL);
        platform.signal("one", "CONT");
        goes_on();
        platform.kill("two");
        goes_on();
        platform.start_as("three", &["project"], &[]);
        let (status, took) = platform.stop("one");
        assert!(status.success() && took < MOVED, "{status} after {took:?}");
        goes_on();
        load.assert_nothing_missing_or_duplicated();
        fleet.assert_history_alarms_and_health(&api);
    });
}
