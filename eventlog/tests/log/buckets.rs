//! Key-value buckets with compare-and-set, and secrets encrypted and bound to their name and key.

use bytes::Bytes;
use eventlog::buckets::Error;
use eventlog::rekey::{Rekeyed, rekey};
use eventlog::secrets::Error as SecretError;
use eventlog::{BucketName, Secrets};

use crate::support;

#[tokio::test]
async fn a_value_is_overwritten_only_at_its_revision() {
    let log = support::log().await;
    let bucket = log.bucket(BucketName::StageState).await.unwrap();
    let first = bucket.create("normalizer.3", Bytes::from("a")).await.unwrap();
    assert!(matches!(bucket.create("normalizer.3", Bytes::from("b")).await, Err(Error::Conflict { .. })));
    let second = bucket.update("normalizer.3", Bytes::from("b"), first).await.unwrap();
    let stale = bucket.update("normalizer.3", Bytes::from("c"), first).await;
    assert!(matches!(stale, Err(Error::Conflict { .. })), "{stale:?}");
    assert_eq!(bucket.get("normalizer.3").await.unwrap(), Some((Bytes::from("b"), second)));
    assert_eq!(bucket.get_from_any_replica("normalizer.3").await.unwrap(), Some((Bytes::from("b"), second)));
}

#[tokio::test]
async fn a_deleted_key_is_gone_and_can_be_created_again() {
    let log = support::log().await;
    let bucket = log.bucket(BucketName::Platform).await.unwrap();
    bucket.put("cluster", Bytes::from("1")).await.unwrap();
    bucket.delete("cluster").await.unwrap();
    assert_eq!(bucket.get("cluster").await.unwrap(), None);
    assert_eq!(bucket.get_from_any_replica("cluster").await.unwrap(), None);
    assert!(bucket.keys().await.unwrap().is_empty());
    bucket.create("cluster", Bytes::from("2")).await.unwrap();
    assert_eq!(bucket.keys().await.unwrap(), ["cluster"]);
}

#[tokio::test]
async fn an_invalid_key_is_refused() {
    let log = support::log().await;
    let bucket = log.bucket(BucketName::Platform).await.unwrap();
    assert!(matches!(bucket.put("a.*", Bytes::new()).await, Err(Error::Key(_))));
}

#[tokio::test]
async fn a_secret_is_stored_as_ciphertext_and_decrypted_when_read() {
    let log = support::log().await;
    let secrets = Secrets::open(&log, [7; 32]).await.unwrap();
    secrets.put("webhook.token", b"correct horse").await.unwrap();
    let again = Secrets::open(&log, [7; 32]).await.unwrap();
    assert_eq!(again.get("webhook.token").await.unwrap().unwrap(), b"correct horse");
    assert_eq!(again.names().await.unwrap(), ["webhook.token"]);
    let bucket = log.bucket(BucketName::Secrets).await.unwrap();
    let (stored, _) = bucket.get("webhook.token").await.unwrap().unwrap();
    assert!(!stored.windows(7).any(|window| window == b"correct"));
    again.delete("webhook.token").await.unwrap();
    assert_eq!(secrets.get("webhook.token").await.unwrap(), None);
}

#[tokio::test]
async fn storing_the_same_secret_twice_yields_two_ciphertexts() {
    let log = support::log().await;
    let secrets = Secrets::open(&log, [7; 32]).await.unwrap();
    let bucket = log.bucket(BucketName::Secrets).await.unwrap();
    secrets.put("a", b"same").await.unwrap();
    let (first, _) = bucket.get("a").await.unwrap().unwrap();
    secrets.put("a", b"same").await.unwrap();
    assert_ne!(bucket.get("a").await.unwrap().unwrap().0, first);
}

#[tokio::test]
async fn another_master_key_is_refused() {
    let log = support::log().await;
    Secrets::open(&log, [7; 32]).await.unwrap();
    assert!(matches!(Secrets::open(&log, [8; 32]).await.err(), Some(SecretError::WrongKey)));
}

#[tokio::test]
async fn a_moved_or_changed_ciphertext_cannot_be_decrypted() {
    let log = support::log().await;
    let secrets = Secrets::open(&log, [7; 32]).await.unwrap();
    let bucket = log.bucket(BucketName::Secrets).await.unwrap();
    secrets.put("a", b"secret of a").await.unwrap();
    let (stored, _) = bucket.get("a").await.unwrap().unwrap();
    bucket.put("b", stored.clone()).await.unwrap();
    let mut changed = stored.to_vec();
    *changed.last_mut().unwrap() ^= 1;
    bucket.put("c", changed.into()).await.unwrap();
    bucket.put("d", Bytes::from("x")).await.unwrap();
    for name in ["b", "c", "d"] {
        assert!(matches!(secrets.get(name).await, Err(SecretError::Undecryptable(_))), "{name}");
    }
}

#[tokio::test]
async fn a_secret_can_be_taken_only_once() {
    let log = support::log().await;
    let bundles = Secrets::in_bucket(&log, [7; 32], BucketName::Bundles).await.unwrap();
    bundles.put("token", b"bundle").await.unwrap();
    let taken = tokio::join!(bundles.take("token"), bundles.take("token"));
    let taken: Vec<_> = [taken.0.unwrap(), taken.1.unwrap()].into_iter().flatten().collect();
    assert_eq!(taken, [b"bundle".to_vec()]);
    assert_eq!(bundles.take("token").await.unwrap(), None);
    assert_eq!(bundles.take("other").await.unwrap(), None);
}

#[tokio::test]
async fn changing_the_master_key_can_be_interrupted_and_completed() {
    let log = support::log().await;
    let secrets = Secrets::open(&log, [7; 32]).await.unwrap();
    for name in ["a", "b", "c"] {
        secrets.put(name, name.as_bytes()).await.unwrap();
    }
    let done = std::sync::atomic::AtomicU32::new(0);
    let interrupted = rekey(&log, [7; 32], [8; 32], |name, plaintext| {
        let first = done.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0;
        if first { Ok(plaintext) } else { Err(SecretError::NestedSeal(name.to_owned())) }
    });
    assert!(matches!(interrupted.await, Err(SecretError::NestedSeal(_))));
    let opened = Secrets::open(&log, [8; 32]).await;
    assert!(matches!(opened.err(), Some(SecretError::WrongKey)), "the rekey is not complete");
    assert!(matches!(rekey(&log, [1; 32], [2; 32], |_, text| Ok(text)).await, Err(SecretError::WrongKey)));
    let upper = |_: &str, text: Vec<u8>| Ok(text.to_ascii_uppercase());
    assert_eq!(rekey(&log, [7; 32], [8; 32], upper).await.unwrap(), Rekeyed { changed: 3, already: 1 });
    let secrets = Secrets::open(&log, [8; 32]).await.unwrap();
    let mut found = Vec::new();
    for name in ["a", "b", "c"] {
        found.push(String::from_utf8(secrets.get(name).await.unwrap().unwrap()).unwrap().to_lowercase());
    }
    assert_eq!(found, ["a", "b", "c"]);
    assert!(matches!(Secrets::open(&log, [7; 32]).await.err(), Some(SecretError::WrongKey)));
    assert_eq!(rekey(&log, [7; 32], [8; 32], upper).await.unwrap(), Rekeyed { changed: 0, already: 4 });
}
