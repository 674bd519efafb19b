//! CPU time of a process and everything below it, by program name, read from /proc. What does not live here: what it is
//! divided by.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

/// Kernel ticks a second: `USER_HZ` is 100 on every Linux that Debian ships.
const TICKS_PER_SECOND: f64 = 100.0;

/// Seconds of CPU by program name.
pub type Usage = BTreeMap<String, f64>;

struct Process {
    id: u32,
    parent: u32,
    name: String,
    seconds: f64,
}

/// Reads the CPU seconds that each program below `roots` (these included) has used so far.
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

/// What was used between two readings; a program that vanished counts as nothing.
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

fn process(id: u32) -> Option<Process> {
    // The name stands in parentheses and may hold spaces; the numbers follow its last one (proc(5)).
    let text = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (head, tail) = text.rsplit_once(')')?;
    let fields: Vec<&str> = tail.split_whitespace().collect();
    let ticks: f64 = [11, 12].iter().filter_map(|index| fields.get(*index)?.parse::<f64>().ok()).sum();
    Some(Process {
        id,
        parent: fields.get(1)?.parse().ok()?,
        name: head.split_once('(')?.1.to_owned(),
        seconds: ticks / TICKS_PER_SECOND,
    })
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
