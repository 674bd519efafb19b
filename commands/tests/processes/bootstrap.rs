//! Bootstrap: the first start creates an organisation and its administrator.

use commands::user::Refusal;
use commands::{Commands, Error};
use domain::device::Device;
use domain::ids::OrganizationId;
use domain::organization::Organization;
use domain::user::AccessRole;

use crate::crash_points::run_for_polls;
use crate::event_store_backend;
use crate::test_platform::{TestPlatform, context, open};

const EMAIL: &str = "admin@example.org";

async fn organization(commands: &Commands, id: OrganizationId) -> (Organization, u64) {
    commands.load::<Organization>(id, id.0).await.unwrap().unwrap()
}

#[tokio::test]
async fn the_first_start_creates_an_organization_and_an_administrator_with_a_generated_password() {
    let (_, _, commands) = TestPlatform::empty().await;
    let first = commands.bootstrap(EMAIL, None).await.unwrap();
    let password = first.generated_password.unwrap();
    assert_eq!(password.len(), 24);
    let admin = commands.verify_password(EMAIL, &password).await.unwrap();
    assert_eq!((admin.user, admin.organization), (first.user, first.organization));
    assert_eq!(admin.access_role, AccessRole::PlatformAdmin);
    let (state, _) = organization(&commands, first.organization).await;
    assert_eq!(state.name.as_deref(), Some("Argusiq"));
    assert!(state.certificate_authority.is_some());
}

#[tokio::test]
async fn later_starts_change_nothing_and_return_the_generated_password_until_it_is_changed() {
    let (log, keys, commands) = TestPlatform::empty().await;
    let first = commands.bootstrap(EMAIL, None).await.unwrap();
    event_store_backend::settled(&log).await;
    let stored = log.last_sequence(eventlog::Stream::Es).await.unwrap();
    let again = open(&log, &keys).await.bootstrap("other@example.org", Some("battery staple")).await.unwrap();
    assert_eq!(again, first);
    event_store_backend::settled(&log).await;
    assert_eq!(log.last_sequence(eventlog::Stream::Es).await.unwrap(), stored);
    assert!(commands.verify_password("other@example.org", "battery staple").await.is_err());
    commands.set_password(&context(first.organization, 1), first.user, "battery staple").await.unwrap();
    assert_eq!(commands.bootstrap(EMAIL, None).await.unwrap().generated_password, None);
    assert!(commands.verify_password(EMAIL, "battery staple").await.is_ok());
}

#[tokio::test]
async fn a_configured_password_is_used_and_never_returned() {
    let (_, _, commands) = TestPlatform::empty().await;
    let first = commands.bootstrap(EMAIL, Some("correct horse")).await.unwrap();
    assert_eq!(first.generated_password, None);
    assert!(commands.verify_password(EMAIL, "correct horse").await.is_ok());
    assert_eq!(commands.bootstrap(EMAIL, Some("correct horse")).await.unwrap(), first);
}

#[tokio::test]
async fn an_invalid_password_or_email_address_is_refused() {
    let (_, _, commands) = TestPlatform::empty().await;
    let weak = commands.bootstrap(EMAIL, Some("short")).await;
    assert!(matches!(weak, Err(Error::Refused(Refusal::InvalidPassword))), "{weak:?}");
    let invalid = commands.bootstrap("admin", None).await;
    assert!(matches!(invalid, Err(Error::Refused(Refusal::InvalidEmail))), "{invalid:?}");
    commands.bootstrap(EMAIL, Some("correct horse")).await.unwrap();
}

#[tokio::test]
async fn two_processes_that_start_concurrently_agree() {
    let (log, keys, commands) = TestPlatform::empty().await;
    let other_process = open(&log, &keys).await;
    let (first, second) = tokio::join!(commands.bootstrap(EMAIL, None), other_process.bootstrap(EMAIL, None));
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!(first, second);
    commands.verify_password(EMAIL, &first.generated_password.unwrap()).await.unwrap();
    assert_eq!(organization(&commands, first.organization).await.1, 2);
}

#[tokio::test]
async fn an_interrupted_bootstrap_is_completed_by_the_next_start() {
    let (_, _, commands) = TestPlatform::empty().await;
    let mut polls = 1;
    // Each attempt continues where the one before was interrupted, like a process that crashes and restarts.
    while run_for_polls(polls, commands.bootstrap(EMAIL, None)).await.is_none() {
        polls += 1;
    }
    let completed = commands.bootstrap(EMAIL, None).await.unwrap();
    commands.verify_password(EMAIL, &completed.generated_password.unwrap()).await.unwrap();
    assert_eq!(organization(&commands, completed.organization).await.1, 2);
    assert!(commands.load::<Device>(completed.organization, completed.user.0).await.unwrap().is_none());
}
