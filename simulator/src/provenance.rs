//! Metadata of a benchmark: time, machine and commit.

use std::fs;
use std::process::Command;

/// Returns the current commit; empty if git does not know it.
pub fn commit() -> String {
    let output = Command::new("git").args(["rev-parse", "--short", "HEAD"]).output();
    output.ok().map(|out| String::from_utf8_lossy(&out.stdout).trim().to_owned()).unwrap_or_default()
}

/// Describes this machine: cores, processor and memory.
pub fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or(": unknown processor");
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib = memory.lines().next().and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    format!("{cores} cores, {}, {} GiB", model.trim_start_matches([' ', '\t', ':']), kib.unwrap_or_default() >> 20)
}

/// Returns the current time to the minute.
#[allow(clippy::disallowed_methods, reason = "a report carries its time")]
pub fn now() -> String {
    chrono::Utc::now().format("%Y-%m-%dT%H:%MZ").to_string()
}
