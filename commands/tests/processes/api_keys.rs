//! API keys: creation, verification and revocation.

use chrono::TimeDelta;
use commands::api_key::Refusal;
use commands::{ApiKeyError, CreatedApiKey, Error, NewApiKey};
use domain::api_key::{ApiKey, ApiKeyCommand, Error as KeyRefusal};
use domain::user::AccessRole;

use crate::test_platform::{TestPlatform, now, open, open_at};

fn dashboard_key() -> NewApiKey {
    NewApiKey {
        name: "Dashboard".into(),
        access_role: AccessRole::Viewer,
        maker_role: AccessRole::Admin,
        validity_days: 30,
    }
}

async fn platform_with_key() -> (TestPlatform, CreatedApiKey, String) {
    let platform = TestPlatform::new().await;
    let created = platform.commands.create_api_key(&platform.context(1), dashboard_key()).await.unwrap();
    let key = created.key.clone().expect("the first answer contains the key").expose().to_owned();
    (platform, created, key)
}

#[tokio::test]
async fn a_key_is_returned_once_and_only_its_digest_is_stored() {
    let (platform, created, key) = platform_with_key().await;
    assert!(key.starts_with("argk_"), "{key}");
    let again = platform.commands.create_api_key(&platform.context(1), dashboard_key()).await.unwrap();
    assert_eq!((again.id, again.key, again.receipt.repeated), (created.id, None, true));
    let state = platform.commands.load::<ApiKey>(platform.organization, created.id.0).await.unwrap().unwrap().0;
    let stored = serde_json::to_string(&state).unwrap();
    assert!(!stored.contains(&key[5..]), "{stored}");
}

#[tokio::test]
async fn every_process_can_verify_a_key() {
    let (platform, created, key) = platform_with_key().await;
    for commands in [platform.commands.clone(), open(&platform.log, &platform.keys).await] {
        let verified = commands.verify_api_key(&key).await.unwrap();
        assert_eq!((verified.id, verified.organization), (created.id, platform.organization));
        assert_eq!((verified.name.as_str(), verified.access_role), ("Dashboard", AccessRole::Viewer));
        assert_eq!(verified.expires_at, now() + TimeDelta::days(30));
    }
}

#[tokio::test]
async fn only_the_holder_of_an_invalid_key_learns_the_reason() {
    let (platform, created, key) = platform_with_key().await;
    let forged = format!("{}{}", &key[..key.len() - 4], "AAAA");
    for unknown in ["", "argk_", "argk_AAAA", &forged] {
        let refused = platform.commands.verify_api_key(unknown).await;
        assert!(matches!(refused, Err(ApiKeyError::Unknown)), "{unknown}: {refused:?}");
    }
    let later = open_at(&platform.log, &platform.keys, now() + TimeDelta::days(30)).await;
    let expired = later.verify_api_key(&key).await;
    assert!(matches!(expired, Err(ApiKeyError::Expired)), "{expired:?}");
    let revoke = ApiKeyCommand::RevokeApiKey { reason: "leaked".into() };
    platform.commands.execute::<ApiKey>(&platform.context(2), created.id.0, revoke).await.unwrap();
    let revoked = platform.commands.verify_api_key(&key).await;
    assert!(matches!(revoked, Err(ApiKeyError::Revoked)), "{revoked:?}");
    let other = platform.commands.create_api_key(&platform.context(3), dashboard_key()).await.unwrap().key.unwrap();
    platform.suspend().await;
    let suspended = platform.commands.verify_api_key(other.expose()).await;
    assert!(matches!(suspended, Err(ApiKeyError::OrganizationSuspended)), "{suspended:?}");
}

#[tokio::test]
async fn a_key_with_invalid_validity_or_too_high_a_role_is_refused() {
    let platform = TestPlatform::new().await;
    for days in [0, 3_651] {
        let refused = platform
            .commands
            .create_api_key(&platform.context(1), NewApiKey { validity_days: days, ..dashboard_key() })
            .await;
        assert!(matches!(refused, Err(Error::Refused(Refusal::InvalidValidity { days: of })) if of == days));
    }
    let above = NewApiKey { access_role: AccessRole::PlatformAdmin, ..dashboard_key() };
    let refused = platform.commands.create_api_key(&platform.context(2), above).await;
    assert!(matches!(refused, Err(Error::Refused(Refusal::ApiKey(KeyRefusal::RoleTooHigh { .. })))), "{refused:?}");
}
