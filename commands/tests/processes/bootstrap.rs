//! The first start.

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
async fn the_first_start_makes_an_organization_and_its_administrator_with_a_password() {
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
async fn later_starts_change_nothing_and_repeat_the_password_until_another_is_set() {
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
async fn a_given_password_is_used_and_not_given_out() {
    let (_, _, commands) = TestPlatform::empty().await;
    let first = commands.bootstrap(EMAIL, Some("correct horse")).await.unwrap();
    assert_eq!(first.generated_password, None);
    assert!(commands.verify_password(EMAIL, "correct horse").await.is_ok());
    assert_eq!(commands.bootstrap(EMAIL, Some("correct horse")).await.unwrap(), first);
}

#[tokio::test]
async fn a_password_or_address_that_will_not_do_is_refused() {
    let (_, _, commands) = TestPlatform::empty().await;
    let weak = commands.bootstrap(EMAIL, Some("short")).await;
    assert!(matches!(weak, Err(Error::Refused(Refusal::InvalidPassword))), "{weak:?}");
    let nowhere = commands.bootstrap("admin", None).await;
    assert!(matches!(nowhere, Err(Error::Refused(Refusal::InvalidEmail))), "{nowhere:?}");
    commands.bootstrap(EMAIL, Some("correct horse")).await.unwrap();
}

#[tokio::test]
async fn two_processes_starting_at_once_agree() {
    let (log, keys, commands) = TestPlatform::empty().await;
    let elsewhere = open(&log, &keys).await;
    let (first, second) = tokio::join!(commands.bootstrap(EMAIL, None), elsewhere.bootstrap(EMAIL, None));
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!(first, second);
    commands.verify_password(EMAIL, &first.generated_password.unwrap()).await.unwrap();
    assert_eq!(organization(&commands, first.organization).await.1, 2);
}

#[tokio::test]
async fn broken_off_anywhere_the_next_start_completes_it() {
    let (_, _, commands) = TestPlatform::empty().await;
    let mut polls = 1;
    // Each attempt goes on from where the one before was broken off, as one crashing process after another.
    while run_for_polls(polls, commands.bootstrap(EMAIL, None)).await.is_none() {
        polls += 1;
    }
    let whole = commands.bootstrap(EMAIL, None).await.unwrap();
    commands.verify_password(EMAIL, &whole.generated_password.unwrap()).await.unwrap();
    assert_eq!(organization(&commands, whole.organization).await.1, 2);
    assert!(commands.load::<Device>(whole.organization, whole.user.0).await.unwrap().is_none());
}
