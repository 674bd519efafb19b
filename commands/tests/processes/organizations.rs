//! Founding an organisation with its certificate authority.

use commands::{Error, FoundOrganization};
use domain::ids::OrganizationId;
use domain::organization::{Error as Refusal, Organization};

use crate::crash_points::{crash_at_every_await, run_for_polls};
use crate::test_platform::{TestPlatform, context, id};

fn founding(organization: OrganizationId, name: &str) -> FoundOrganization {
    FoundOrganization { id: Some(organization), name: name.into() }
}

#[tokio::test]
async fn a_founded_organization_has_its_own_certificate_authority() {
    let (_, keys, commands) = TestPlatform::empty().await;
    let organization = OrganizationId(id("organization", 1));
    let first = commands.found_organization(&context(organization, 1), founding(organization, "Acme")).await.unwrap();
    assert_eq!((first.organization, first.repeated), (organization, false));
    let (state, version) = commands.load::<Organization>(organization, organization.0).await.unwrap().unwrap();
    assert_eq!((state.name.as_deref(), version), (Some("Acme"), 2));
    let authority = state.certificate_authority.unwrap();
    assert_eq!(authority.certificate_pem, first.ca_certificate_pem);
    assert_ne!(authority.certificate_pem, keys.root.certificate_pem());
    assert_eq!(first.receipt.version, 2);
}

#[tokio::test]
async fn a_repeated_founding_returns_the_same_answer_and_creates_no_second_authority() {
    let (_, _, commands) = TestPlatform::empty().await;
    let organization = OrganizationId(id("organization", 1));
    let context = context(organization, 1);
    let first = commands.found_organization(&context, founding(organization, "Acme")).await.unwrap();
    let again = commands.found_organization(&context, founding(organization, "Acme")).await.unwrap();
    assert!(again.repeated);
    assert_eq!(again.ca_certificate_pem, first.ca_certificate_pem);
    assert_eq!(again.receipt.position, first.receipt.position);
}

#[tokio::test]
async fn an_organization_without_a_given_id_derives_it_from_the_command() {
    let (_, _, commands) = TestPlatform::empty().await;
    let context = context(OrganizationId(id("organization", 1)), 1);
    let new = FoundOrganization { id: None, name: "Acme".into() };
    let first = commands.found_organization(&context, new.clone()).await.unwrap();
    assert_eq!(first.organization.0, context.created_id("organization"));
    assert_eq!(commands.found_organization(&context, new).await.unwrap().organization, first.organization);
}

#[tokio::test]
async fn an_organization_needs_a_name_and_is_founded_once() {
    let (_, _, commands) = TestPlatform::empty().await;
    let organization = OrganizationId(id("organization", 1));
    let nameless = commands.found_organization(&context(organization, 1), founding(organization, " ")).await;
    assert!(matches!(nameless, Err(Error::Refused(Refusal::InvalidName))), "{nameless:?}");
    commands.found_organization(&context(organization, 2), founding(organization, "Acme")).await.unwrap();
    let second = commands.found_organization(&context(organization, 3), founding(organization, "Acme")).await;
    assert!(matches!(second, Err(Error::Refused(Refusal::AlreadyExists))), "{second:?}");
}

#[tokio::test]
async fn an_interrupted_founding_is_completed_by_a_repeat() {
    let (_, _, commands) = TestPlatform::empty().await;
    let organization = |n| OrganizationId(id("organization", n));
    let run = |n| {
        let commands = &commands;
        async move {
            commands.found_organization(&context(organization(n), n), founding(organization(n), "Acme")).await.unwrap()
        }
    };
    let places = crash_at_every_await(
        async |n, polls| run_for_polls(polls, run(n)).await.is_some(),
        async |n| {
            let completed = run(n).await;
            let (state, version) =
                commands.load::<Organization>(organization(n), organization(n).0).await.unwrap().unwrap();
            assert_eq!(version, 2, "one event for the founding and one for its certificate authority");
            assert_eq!(state.certificate_authority.unwrap().certificate_pem, completed.ca_certificate_pem);
        },
    )
    .await;
    assert!(places > 5, "interrupted at only {places} await points");
}
