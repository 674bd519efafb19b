//! Verifies that the history holds every acknowledged message exactly once.

use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::api::Api;
use crate::payload::SEQUENCE;

/// Points per query.
const PAGE: usize = 10_000;

/// Devices queried concurrently.
const READERS: usize = 8;

/// The acknowledged messages compared with the history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HistoryCheck {
    /// Messages in the history.
    pub stored: u64,
    /// Messages acknowledged but not in the history.
    pub missing: u64,
    /// Messages stored more than once.
    pub doubled: u64,
}

/// Compares repeatedly until nothing is missing or the deadline has passed.
pub async fn verify(api: &Api, acknowledged: &[(String, u64)], deadline: Duration) -> anyhow::Result<HistoryCheck> {
    let began = Instant::now();
    loop {
        match compare(api, acknowledged).await {
            Ok(check) if check.missing == 0 => return Ok(check),
            // After the deadline the last result counts, an error included: the platform may still have been recovering
            // before.
            outcome if began.elapsed() > deadline => return outcome,
            _ => {}
        }
        sleep(Duration::from_millis(500)).await;
    }
}

async fn compare(api: &Api, acknowledged: &[(String, u64)]) -> anyhow::Result<HistoryCheck> {
    let mut total = HistoryCheck::default();
    for chunk in acknowledged.chunks(READERS) {
        let mut tasks = JoinSet::new();
        for (device, count) in chunk.iter().cloned() {
            let api = api.clone();
            tasks.spawn_blocking(move || Ok::<_, anyhow::Error>(check_sequences(&sequences(&api, &device)?, count)));
        }
        while let Some(one) = tasks.join_next().await {
            let one = one??;
            total.stored += one.stored;
            total.missing += one.missing;
            total.doubled += one.doubled;
        }
    }
    Ok(total)
}

fn sequences(api: &Api, device: &str) -> anyhow::Result<Vec<u64>> {
    let mut found = Vec::new();
    let mut end = String::new();
    loop {
        let until = if end.is_empty() { String::new() } else { format!("&endTime={end}") };
        let answer = api.get(&format!("/api/v1/telemetry/device/{device}?metricKey={SEQUENCE}&limit={PAGE}{until}"))?;
        let data = answer["data"].as_array().context("the answer has no data")?;
        found.extend(data.iter().filter_map(|point| point["value"].as_f64()).map(|value| value as u64));
        // Points come in ascending order and pages from the newest backwards: the next page ends where this one begins.
        match data.first().and_then(|point| point["timestamp"].as_str()) {
            Some(first) if data.len() == PAGE => end = first.to_owned(),
            _ => return Ok(found),
        }
    }
}

fn check_sequences(sequences: &[u64], acknowledged: u64) -> HistoryCheck {
    let mut seen = vec![0_u32; acknowledged as usize];
    for sequence in sequences {
        if let Some(count) = seen.get_mut(*sequence as usize) {
            *count += 1;
        }
    }
    HistoryCheck {
        stored: sequences.len() as u64,
        missing: seen.iter().filter(|count| **count == 0).count() as u64,
        doubled: seen.iter().filter(|count| **count > 1).count() as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_missing_a_repeat_is_doubled_and_an_unacknowledged_message_is_ignored() {
        assert_eq!(check_sequences(&[0, 1, 1, 3, 9], 4), HistoryCheck { stored: 5, missing: 1, doubled: 1 });
        assert_eq!(check_sequences(&[0, 1, 2], 3), HistoryCheck { stored: 3, missing: 0, doubled: 0 });
    }
}
