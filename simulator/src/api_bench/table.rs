//! The result table and the closing line of the API benchmark.

use super::{Results, Step};

/// Programs with their own column, and their headings.
const PROGRAMS: [(&str, &str); 5] = [
    ("argusiq", "argusiq"),
    ("nats-server", "NATS"),
    ("postgres", "Postgres"),
    ("redis-server", "Redis"),
    ("argusiq-simula", "clients"),
];

/// Returns the table as Markdown.
pub fn table(results: &Results) -> String {
    let heads: Vec<_> = PROGRAMS.iter().map(|(_, head)| format!("{head} µs")).collect();
    let mut lines = vec![
        format!("Measured {}, commit {}, on {}.", results.measured_at, results.commit, results.machine),
        format!(
            "{} devices (imported at {:.0} a second), {} audit events, {} clients.",
            results.devices, results.imported_per_second, results.events, results.clients
        ),
        String::new(),
        format!("| what | pace of a client | requests/s | p50 / p95 / p99 ms | {} | failed |", heads.join(" | ")),
        format!("|{}", " --- |".repeat(5 + PROGRAMS.len())),
    ];
    lines.extend(results.steps.iter().map(row));
    lines.join("\n")
}

/// Returns one row of the table.
pub fn row(step: &Step) -> String {
    let [p50, p95, p99] = step.results.millis;
    let of = |program: &str| -> f64 {
        step.cpu_us_per_request.iter().filter(|(name, _)| is_of(name, program)).map(|(_, micros)| micros).sum()
    };
    let programs: Vec<_> = PROGRAMS.iter().map(|(program, _)| format!("{:.0}", of(program))).collect();
    let pace = step.pace.map_or("as fast as possible".to_owned(), |pace| format!("{pace:.0}/s"));
    format!(
        "| {} | {pace} | {:.0} | {p50:.1} / {p95:.1} / {p99:.1} | {} | {} |",
        step.kind,
        step.results.requests_per_second,
        programs.join(" | "),
        step.results.failed,
    )
}

/// Tells whether a process name is that of a program; only `argusiq` has to match in full, because it is also the
/// prefix of the simulator's name.
fn is_of(name: &str, program: &str) -> bool {
    name == program || (program != "argusiq" && name.starts_with(program))
}

/// Returns one line of `key=value` figures: the slowest p95 of reads and of commands at a fixed pace.
pub fn closing_line(results: &Results) -> String {
    let paced = || results.steps.iter().filter(|step| step.pace.is_some());
    let is_command = |step: &&Step| step.kind.starts_with("create") || step.kind.starts_with("revise");
    let slowest = |steps: Vec<&Step>| steps.iter().map(|step| step.results.millis[1]).fold(0.0, f64::max);
    format!(
        "reads_p95_ms={:.1} commands_p95_ms={:.1} devices={} events={} imported_per_second={:.0} failed={}",
        slowest(paced().filter(|step| !is_command(step)).collect()),
        slowest(paced().filter(is_command).collect()),
        results.devices,
        results.events,
        results.imported_per_second,
        results.steps.iter().map(|step| step.results.failed).sum::<u64>(),
    )
}
