//! Request counters, against a real Redis.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::time::Duration;

use common::{seconds, world};
use projections::RateLimits;
use uuid::Uuid;

fn asked(names: &[&str]) -> Vec<(String, Duration)> {
    names.iter().map(|name| ((*name).to_owned(), Duration::from_secs(60))).collect()
}

#[tokio::test]
async fn each_name_is_counted_separately_until_its_window_ends() {
    let limits = RateLimits::new(&world().await.reader);
    for expected in 1..=3 {
        let counted = limits.count(&asked(&["ada", "10.0.0.1"])).await.unwrap();
        assert_eq!(counted.iter().map(|one| one.count).collect::<Vec<_>>(), [expected, expected]);
        assert!(counted.iter().all(|one| one.resets_in <= Duration::from_secs(60)));
    }
    assert_eq!(limits.count(&asked(&["eve"])).await.unwrap()[0].count, 1);
    limits.uncount("ada").await;
    assert_eq!(limits.count(&asked(&["ada"])).await.unwrap()[0].count, 3);
    limits.forget("ada").await;
    assert_eq!(limits.count(&asked(&["ada"])).await.unwrap()[0].count, 1);
    limits.uncount("nobody").await;
    assert_eq!(limits.count(&asked(&["nobody"])).await.unwrap()[0].count, 1);
}

#[tokio::test]
async fn a_new_window_begins_after_the_last_one_ends() {
    let limits = RateLimits::new(&world().await.reader);
    let short = [("ada".to_owned(), Duration::from_millis(50))];
    let until = tokio::time::Instant::now() + Duration::from_secs(10);
    let mut counts = vec![];
    // Polls until the count starts again.
    while counts.last() != Some(&1) || counts.len() == 1 {
        assert!(tokio::time::Instant::now() < until, "{counts:?}");
        counts.extend(limits.count(&short).await.map(|counted| counted[0].count));
    }
    assert_eq!(counts[0], 1);
}

#[tokio::test]
async fn the_last_use_of_an_api_key_is_recorded() {
    let limits = RateLimits::new(&world().await.reader);
    let keys = [Uuid::from_u128(1), Uuid::from_u128(2)];
    limits.record_use(keys[1], seconds(5)).await;
    assert_eq!(limits.last_uses(&keys).await, [None, Some(seconds(5))]);
    assert!(limits.last_uses(&[]).await.is_empty());
}
