//! The result table and the closing line of the pipeline benchmark.

use std::fs;
use std::path::Path;

use anyhow::Context;

use crate::bench::{Results, Step};
use crate::revocation::{REVOKED, Revocation, SESSIONS};
use crate::webhook::{AT_ONCE, ONE_BY_ONE, Webhooks};

/// Programs with their own column, and their headings.
const PROGRAMS: [(&str, &str); 5] = [
    ("argusiq", "argusiq"),
    ("nats-server", "NATS"),
    ("postgres", "Postgres"),
    ("redis-server", "Redis"),
    ("argusiq-simula", "simulator"),
];

/// Replaces the table between its marks in the document.
pub fn put(document: &Path, name: &str, table: &str) -> anyhow::Result<()> {
    let (begin, end) = (format!("<!-- {name}:begin -->"), format!("<!-- {name}:end -->"));
    let text = fs::read_to_string(document).with_context(|| format!("failed to read {}", document.display()))?;
    let (before, rest) = text.split_once(&begin).context("the document has no begin mark for the table")?;
    let (_, after) = rest.split_once(&end).context("the document has no end mark for the table")?;
    Ok(fs::write(document, format!("{before}{begin}\n{table}\n{end}{after}"))?)
}

/// Returns the table as Markdown.
pub fn table(results: &Results) -> String {
    let heads: Vec<_> = PROGRAMS.iter().map(|(_, head)| format!("{head} µs")).collect();
    let mut lines = vec![
        format!("Measured {}, commit {}, on {}.", results.measured_at, results.commit, results.machine),
        String::new(),
        format!(
            "| asked msg/s | msg/s | values/s | screen p50 / p95 / p99 ms | alarm p50 / p95 / p99 ms | PUBACK p50 / p95 / p99 ms | {} | all µs/msg | missing | doubled |",
            heads.join(" | ")
        ),
        format!("|{}", " --- |".repeat(6 + PROGRAMS.len() + 3)),
    ];
    lines.extend(results.steps.iter().map(row));
    lines.push(String::new());
    let reactions = &results.reactions;
    lines.push("| reaction | seconds | must be at most |\n| --- | --- | --- |".to_owned());
    lines.push(format!("| disconnect → offline on screen | {:.2} | 5 |", reactions.disconnect_to_offline_seconds));
    lines.push(format!("| reading → health | {:.2} | 10 |", reactions.reading_to_health_seconds));
    lines.push(format!("| rule created → event | {:.2} | 30 |", reactions.rule_to_event_seconds));
    let Webhooks { p50_ms, p95_ms, burst_p95_ms } = results.webhooks;
    lines.push(format!(
        "| reading → webhook of its alarm, p95 of {ONE_BY_ONE} one after another (p50 {:.2}) | {:.2} | — |",
        p50_ms / 1e3,
        p95_ms / 1e3
    ));
    lines.push(format!("| the same of {AT_ONCE} alarms of one reading | {:.2} | — |", burst_p95_ms / 1e3));
    for (door, revocation) in
        [("at the edge", results.revocation), ("behind mosquitto", results.revocation_behind_a_broker)]
    {
        let Revocation { p50_ms, p95_ms, max_ms, burst_p95_ms } = revocation;
        lines.push(format!(
            "| revocation answered → session ended {door}, p95 of {REVOKED} among {SESSIONS} live ones (p50 {:.3}, longest {:.3}) | {:.3} | 1 |",
            p50_ms / 1e3,
            max_ms / 1e3,
            p95_ms / 1e3
        ));
        lines.push(format!("| the same of {REVOKED} revoked at once | {:.3} | — |", burst_p95_ms / 1e3));
    }
    lines.join("\n")
}

/// Returns one line of `key=value` figures of the fastest step that kept its rate, lost and duplicated nothing and had
/// a p95 below two seconds; of the first step if there is none.
pub fn closing_line(results: &Results) -> String {
    let sound = |step: &&Step| {
        let figures = &step.figures;
        figures.missing == 0
            && figures.doubled == 0
            && figures.screen_ms[1] < 2000.0
            && figures.messages_per_second >= 0.97 * step.asked
    };
    let Some(step) = results.steps.iter().rev().find(sound).or(results.steps.first()) else {
        return "nothing was measured".to_owned();
    };
    format!(
        "messages_per_second={:.0} values_per_second={:.0} cpu_us_per_message={:.1} p95_ms={:.0} missing={} doubled={}",
        step.figures.messages_per_second,
        step.figures.values_per_second,
        platform_cpu(step),
        step.figures.screen_ms[1],
        step.figures.missing,
        step.figures.doubled,
    )
}

/// Returns the CPU time of the platform and its servers, without the simulator.
fn platform_cpu(step: &Step) -> f64 {
    let (simulator, _) = PROGRAMS[4];
    step.cpu_us_per_message.iter().filter(|(name, _)| !name.starts_with(simulator)).map(|(_, micros)| micros).sum()
}

fn row(step: &Step) -> String {
    let figures = &step.figures;
    let triple = |[a, b, c]: [f64; 3]| format!("{a:.0} / {b:.0} / {c:.0}");
    let of = |program: &str| -> f64 {
        step.cpu_us_per_message.iter().filter(|(name, _)| name.starts_with(program)).map(|(_, micros)| micros).sum()
    };
    let programs: Vec<_> = PROGRAMS.iter().map(|(program, _)| format!("{:.1}", of(program))).collect();
    format!(
        "| {:.0} | {:.0} | {:.0} | {} | {} | {} | {} | {:.1} | {} | {} |",
        step.asked,
        figures.messages_per_second,
        figures.values_per_second,
        triple(figures.screen_ms),
        triple(figures.alarm_ms),
        triple(figures.puback_ms),
        programs.join(" | "),
        step.cpu_us_per_message.values().sum::<f64>(),
        figures.missing,
        figures.doubled,
    )
}
