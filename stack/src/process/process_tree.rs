//! Finds the descendants of a process in `/proc`. Each of PostgreSQL's children leads its own process group, so a
//! signal to the parent's group would miss them.

use std::time::Duration;

use nix::sys::signal::kill;
use nix::unistd::Pid;

/// Returns all descendants of `root`.
pub(super) fn descendants(root: Pid) -> Vec<Pid> {
    let parents: Vec<(Pid, Pid)> = processes().filter_map(|pid| Some((pid, parent_of(pid)?))).collect();
    let mut found = Vec::new();
    let mut frontier = vec![root];
    while let Some(above) = frontier.pop() {
        let below = parents.iter().filter(|(_, parent)| *parent == above).map(|(pid, _)| *pid);
        let start = found.len();
        found.extend(below);
        frontier.extend_from_slice(&found[start..]);
    }
    found
}

/// Waits until none of the processes exists. Returns after ten seconds in any case, because an id may have been reused.
pub(super) async fn wait_until_gone(pids: &[Pid]) {
    for _ in 0..1000 {
        if pids.iter().all(|pid| kill(*pid, None).is_err() || is_zombie(*pid)) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Whether every thread of a process is stopped (state `T`, `proc(5)`).
pub(super) fn is_stopped(pid: Pid) -> bool {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let mut stats = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("stat")).ok());
    stats.all(|stat| stat.rsplit_once(')').is_none_or(|(_, rest)| rest.trim_start().starts_with('T')))
}

fn processes() -> impl Iterator<Item = Pid> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).map(Pid::from_raw)
}

/// Reads state and parent from `/proc/<pid>/stat` (`proc(5)`). They follow the command's name, which may contain any
/// character, parentheses included.
fn stat(pid: Pid) -> Option<(char, i32)> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = text.rsplit_once(')')?.1.split_whitespace();
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

fn parent_of(pid: Pid) -> Option<Pid> {
    stat(pid).map(|(_, parent)| Pid::from_raw(parent))
}

fn is_zombie(pid: Pid) -> bool {
    stat(pid).is_none_or(|(state, _)| state == 'Z')
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::unistd::{getpid, getppid};

    #[test]
    fn this_process_descends_from_its_parent() {
        assert!(descendants(getppid()).contains(&getpid()));
        assert!(!descendants(getpid()).contains(&getpid()));
    }
}
