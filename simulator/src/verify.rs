//! Was everything that was acknowledged stored, once? What does not live here: sending.

use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::api::Api;
use crate::payload::SEQUENCE;

/// Most points that one query answers.
const PAGE: usize = 10_000;

/// Devices that are asked for at a time.
const READERS: usize = 8;

/// Acknowledged messages compared with the history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Messages in the history.
    pub stored: u64,
    /// Acknowledged, but not in the history.
    pub missing: u64,
    /// More than once in the history.
    pub doubled: u64,
}

/// Compares until nothing is missing any more or the deadline has passed.
pub async fn verify(api: &Api, acknowledged: &[(String, u64)], deadline: Duration) -> anyhow::Result<Verdict> {
    let began = Instant::now();
    loop {
        match compare(api, acknowledged).await {
            Ok(verdict) if verdict.missing == 0 => return Ok(verdict),
            // The platform may still be on its way back from what was done to it.
            outcome if began.elapsed() > deadline => return outcome,
            _ => {}
        }
        sleep(Duration::from_millis(500)).await;
    }
}

async fn compare(api: &Api, acknowledged: &[(String, u64)]) -> anyhow::Result<Verdict> {
    let mut total = Verdict::default();
    for chunk in acknowledged.chunks(READERS) {
        let mut tasks = JoinSet::new();
        for (device, count) in chunk.iter().cloned() {
            let api = api.clone();
            tasks.spawn_blocking(move || Ok::<_, anyhow::Error>(judge(&sequences(&api, &device)?, count)));
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
        // The newest points come first; the page before ends where this one begins.
        match data.first().and_then(|point| point["timestamp"].as_str()) {
            Some(first) if data.len() == PAGE => end = first.to_owned(),
            _ => return Ok(found),
        }
    }
}

fn judge(sequences: &[u64], acknowledged: u64) -> Verdict {
    let mut seen = vec![0_u32; acknowledged as usize];
    for sequence in sequences {
        if let Some(count) = seen.get_mut(*sequence as usize) {
            *count += 1;
        }
    }
    Verdict {
        stored: sequences.len() as u64,
        missing: seen.iter().filter(|count| **count == 0).count() as u64,
        doubled: seen.iter().filter(|count| **count > 1).count() as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hole_is_missing_a_repeat_is_doubled_and_an_unacknowledged_one_is_neither() {
        assert_eq!(judge(&[0, 1, 1, 3, 9], 4), Verdict { stored: 5, missing: 1, doubled: 1 });
        assert_eq!(judge(&[0, 1, 2], 3), Verdict { stored: 3, missing: 0, doubled: 0 });
    }
}
