//! Issuing device tokens: secrets for devices that connect without a certificate.

use certs::token::digest_of;
use commands::device::Refusal;
use commands::{Error, NewDeviceToken, RegisteredDevice};
use domain::device::{Device, DeviceCommand, Error as DeviceRefusal, MAX_TOKENS};
use domain::ids::DeviceId;
use domain::organization::{Error as OrganizationRefusal, Organization, OrganizationCommand};

use crate::test_platform::{TestPlatform, id};

async fn platform_with_device() -> (TestPlatform, RegisteredDevice) {
    let platform = TestPlatform::new().await;
    let device = platform.commands.register_device(&platform.context(1), platform.device("SN-1")).await.unwrap();
    (platform, device)
}

fn token_valid_for(validity_days: u32) -> NewDeviceToken {
    NewDeviceToken { label: Some("Workshop".into()), validity_days }
}

#[tokio::test]
async fn a_token_is_returned_once_and_only_its_digest_is_stored() {
    let (platform, device) = platform_with_device().await;
    let issued = platform
        .commands
        .issue_device_token(&platform.context(2), device.device_id, token_valid_for(30))
        .await
        .unwrap();
    let secret = issued.token.expect("the first answer contains the token");
    let state = platform.commands.load::<Device>(platform.organization, device.device_id.0).await.unwrap().unwrap().0;
    assert_eq!(state.tokens.len(), 1);
    assert_eq!(Some(state.tokens[0].digest.clone()), digest_of(secret.expose()));
    assert!(!serde_json::to_string(&state).unwrap().contains(secret.expose()));
    let again = platform
        .commands
        .issue_device_token(&platform.context(2), device.device_id, token_valid_for(30))
        .await
        .unwrap();
    assert_eq!((again.id, again.token, again.expires_at), (issued.id, None, issued.expires_at));
}

#[tokio::test]
async fn an_invalid_validity_an_unknown_device_and_one_token_too_many_are_refused() {
    let (platform, device) = platform_with_device().await;
    for days in [0, 3_651] {
        let refused =
            platform.commands.issue_device_token(&platform.context(2), device.device_id, token_valid_for(days)).await;
        assert!(matches!(refused, Err(Error::Refused(Refusal::InvalidTokenValidity { days: of })) if of == days));
    }
    let refused = platform
        .commands
        .issue_device_token(&platform.context(3), DeviceId(id("device", 99)), token_valid_for(1))
        .await;
    assert!(matches!(refused, Err(Error::Refused(Refusal::Device(DeviceRefusal::NotFound)))));
    for number in 0..MAX_TOKENS as u128 {
        platform
            .commands
            .issue_device_token(&platform.context(10 + number), device.device_id, token_valid_for(1))
            .await
            .unwrap();
    }
    let refused =
        platform.commands.issue_device_token(&platform.context(4), device.device_id, token_valid_for(1)).await;
    assert!(matches!(refused, Err(Error::Refused(Refusal::Device(DeviceRefusal::TooManyTokens { .. })))));
}

#[tokio::test]
async fn a_decommissioned_device_and_a_suspended_organization_get_no_token() {
    let (platform, device) = platform_with_device().await;
    let decommission = DeviceCommand::DecommissionDevice { reason: "broken".into() };
    let second = platform.commands.register_device(&platform.context(2), platform.device("SN-2")).await.unwrap();
    platform.commands.execute::<Device>(&platform.context(3), second.device_id.0, decommission).await.unwrap();
    let refused =
        platform.commands.issue_device_token(&platform.context(4), second.device_id, token_valid_for(1)).await;
    assert!(matches!(refused, Err(Error::Refused(Refusal::Device(DeviceRefusal::Decommissioned)))));
    let suspend = OrganizationCommand::SuspendOrganization { reason: "unpaid".into() };
    platform.commands.execute::<Organization>(&platform.context(5), platform.organization.0, suspend).await.unwrap();
    let refused =
        platform.commands.issue_device_token(&platform.context(6), device.device_id, token_valid_for(1)).await;
    assert!(matches!(refused, Err(Error::Refused(Refusal::Organization(OrganizationRefusal::Suspended)))));
}
