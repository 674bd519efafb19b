//! CPU time of processes and all their descendants, by program name, read from /proc.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

/// Kernel ticks a second: `USER_HZ` is 100 on every Linux that Debian ships.
const TICKS_PER_SECOND: f64 = 100.0;

/// CPU seconds by program name.
pub type Usage = BTreeMap<String, f64>;

struct Process {
    id: u32,
    parent: u32,
    name: String,
    seconds: f64,
}

/// Returns the CPU seconds that each program in the process trees of `roots` has used so far.
pub fn usage(roots: &[u32]) -> Usage {
    let processes = processes();
    let mut family: BTreeSet<u32> = roots.iter().copied().collect();
    loop {
        let known = family.len();
        for process in &processes {
            if family.contains(&process.parent) {
                family.insert(process.id);
            }
        }
        if family.len() == known {
            break;
        }
    }
    let mut usage = Usage::new();
    for process in processes.iter().filter(|process| family.contains(&process.id)) {
        *usage.entry(process.name.clone()).or_default() += process.seconds;
    }
    usage
}

/// Returns the CPU seconds used between two readings; a program that has exited counts as zero.
pub fn difference(before: &Usage, after: &Usage) -> Usage {
    let used = |(name, seconds): (&String, &f64)| {
        (name.clone(), (seconds - before.get(name).copied().unwrap_or_default()).max(0.0))
    };
    after.iter().map(used).collect()
}

fn processes() -> Vec<Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| process(entry.file_name().to_str()?.parse().ok()?)).collect()
}

/// Returns the CPU seconds of all children of this process that were waited for, including their own (`cutime` and
/// `cstime` of proc(5)).
pub fn of_ended_children() -> f64 {
    stat("self").map(|stat| stat.seconds([13, 14])).unwrap_or_default()
}

fn process(id: u32) -> Option<Process> {
    let stat = stat(&id.to_string())?;
    // utime and stime, fields 14 and 15 of proc(5).
    Some(Process { id, parent: stat.fields.get(1)?.parse().ok()?, seconds: stat.seconds([11, 12]), name: stat.name })
}

/// One line of `/proc/<pid>/stat`.
struct Stat {
    name: String,
    /// The fields after the name, starting with the state.
    fields: Vec<String>,
}

impl Stat {
    fn seconds(&self, indexes: [usize; 2]) -> f64 {
        let ticks = indexes.iter().filter_map(|index| self.fields.get(*index)?.parse::<f64>().ok());
        ticks.sum::<f64>() / TICKS_PER_SECOND
    }
}

fn stat(id: &str) -> Option<Stat> {
    // The name is in parentheses and may contain spaces and parentheses; the numbers follow the last one (proc(5)).
    let text = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (head, tail) = text.rsplit_once(')')?;
    let fields = tail.split_whitespace().map(str::to_owned).collect();
    Some(Stat { name: head.split_once('(')?.1.to_owned(), fields })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_some_cpu_under_its_own_name() {
        let before = usage(&[std::process::id()]);
        let mut sum = 0_u64;
        while difference(&before, &usage(&[std::process::id()])).values().sum::<f64>() < 0.02 {
            sum = (0..200_000).fold(sum, |sum, number| sum.wrapping_mul(31).wrapping_add(number));
        }
        assert!(!before.is_empty(), "{sum}");
    }
}
