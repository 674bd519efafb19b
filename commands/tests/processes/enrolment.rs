//! Enrolment: pending devices, claim codes, certificates for device-generated keys, certificate bundles, automatic
//! renewal, revocation lists, and the rotation of the master key.

use chrono::{DateTime, TimeDelta, Utc};
use commands::device::Refusal;
use commands::{CommandContext, Commands, Error, Keys, Renewal, Revocation, TakenBundle};
use domain::certificate::{Certificate, CertificateCommand, RevocationCode};
use domain::device::Error as DeviceRefusal;
use domain::ids::CertificateId;
use domain::organization::{CertificatePolicy, Organization, OrganizationCommand};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use uuid::Uuid;

use crate::test_platform::{TestPlatform, id, now, open_at};

fn request(name: &str) -> String {
    request_for(&KeyPair::generate().unwrap(), name)
}

fn request_for(key: &KeyPair, name: &str) -> String {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters.serialize_request(key).unwrap().pem().unwrap()
}

async fn set_policy(platform: &TestPlatform, policy: CertificatePolicy) {
    let context = platform.context(id("policy", 0).as_u128());
    let command = OrganizationCommand::ChangeCertificatePolicy { policy };
    platform.commands.execute::<Organization>(&context, platform.organization.0, command).await.unwrap();
}

async fn certificate(commands: &Commands, platform: &TestPlatform, id: CertificateId) -> Certificate {
    commands.load::<Certificate>(platform.organization, id.0).await.unwrap().unwrap().0
}

fn open_platform_at(platform: &TestPlatform, when: DateTime<Utc>) -> impl Future<Output = Commands> + '_ {
    open_at(&platform.log, &platform.keys, when)
}

#[tokio::test]
async fn a_claim_code_is_valid_until_it_expires_and_for_one_request() {
    let platform = TestPlatform::new().await;
    let device =
        platform.commands.register_pending_device(&platform.context(1), platform.device("SN-1")).await.unwrap();
    let issued = platform.commands.issue_claim_code(&platform.context(2), device.device_id, 1).await.unwrap();
    let code = issued.code.unwrap();
    let (code, csr) = (code.expose(), request("SN-1"));
    let later_process = open_platform_at(&platform, now() + TimeDelta::hours(1)).await;
    let refused = later_process.enroll(code, "SN-1", &csr, Uuid::nil()).await.unwrap_err();
    assert!(matches!(refused, Error::Refused(Refusal::Device(DeviceRefusal::ClaimCodeExpired))), "{refused:?}");
    let enrolled = platform.commands.enroll(code, "SN-1", &csr, Uuid::nil()).await.unwrap();
    assert_eq!((enrolled.device, enrolled.certificate.private_key_pem), (device.device_id, None));
    // If the answer was lost, a repeat returns the same certificate although the code has expired and was used.
    let again = later_process.enroll(code, "SN-1", &csr, Uuid::nil()).await.unwrap();
    assert_eq!(again.certificate.id, enrolled.certificate.id);
    let refused = platform.commands.enroll(code, "SN-1", &request("SN-1"), Uuid::nil()).await.unwrap_err();
    assert!(matches!(refused, Error::Refused(Refusal::Device(DeviceRefusal::ClaimCodeUsed))), "{refused:?}");
    let issued = platform.messages(platform.organization, "certificate", enrolled.certificate.id.0).await;
    assert!(String::from_utf8_lossy(&issued[0].payload).contains(&format!("device:{}", device.device_id)));
    for message in platform.all_messages().await {
        assert!(
            !String::from_utf8_lossy(&message.payload).contains(code),
            "the claim code is stored in plain text in {}",
            message.subject
        );
    }
}

#[tokio::test]
async fn concurrent_enrolments_use_a_claim_code_once() {
    let platform = TestPlatform::new().await;
    let device =
        platform.commands.register_pending_device(&platform.context(1), platform.device("SN-1")).await.unwrap();
    let code =
        platform.commands.issue_claim_code(&platform.context(2), device.device_id, 1).await.unwrap().code.unwrap();
    let other_process = open_platform_at(&platform, now()).await;
    let (one, other) = (request("SN-1"), request("SN-1"));
    let (here, there) = tokio::join!(
        platform.commands.enroll(code.expose(), "SN-1", &one, Uuid::nil()),
        other_process.enroll(code.expose(), "SN-1", &other, Uuid::nil()),
    );
    assert_eq!([here.is_ok(), there.is_ok()].iter().filter(|enrolled| **enrolled).count(), 1);
}

#[tokio::test]
async fn a_bundle_is_downloaded_once_and_only_before_it_expires() {
    let platform = TestPlatform::new().await;
    let registered = platform.commands.register_device(&platform.context(1), platform.device("SN-1")).await.unwrap();
    let device = registered.device_id;
    let keep = || platform.commands.keep_bundle(platform.organization, device, &registered.certificate);
    let (first, second) = (keep().await.unwrap().unwrap(), keep().await.unwrap().unwrap());
    assert_ne!(first, second);
    let other_process = open_platform_at(&platform, now()).await;
    let (here, there) =
        tokio::join!(platform.commands.take_bundle(device, &first), other_process.take_bundle(device, &first));
    let taken = [here.unwrap(), there.unwrap()];
    assert_eq!(taken.iter().filter(|taken| matches!(taken, TakenBundle::Bundle(_))).count(), 1, "{taken:?}");
    assert!(taken.contains(&TakenBundle::Gone));
    assert_eq!(platform.commands.take_bundle(device, &first).await.unwrap(), TakenBundle::Gone);
    let later_process = open_platform_at(&platform, now() + TimeDelta::minutes(15)).await;
    assert_eq!(later_process.take_bundle(device, &second).await.unwrap(), TakenBundle::Gone);
    assert_eq!(platform.commands.take_bundle(device, "nonsense").await.unwrap(), TakenBundle::Unknown);
    let repeated = platform.commands.register_device(&platform.context(1), platform.device("SN-1")).await.unwrap();
    let kept = platform.commands.keep_bundle(platform.organization, device, &repeated.certificate).await.unwrap();
    assert_eq!(kept, None, "without its private key no bundle is kept");
}

#[tokio::test]
async fn a_renewal_ends_the_previous_certificate_only_after_the_overlap() {
    let platform = TestPlatform::new().await;
    set_policy(&platform, CertificatePolicy { overlap_days: 2, ..CertificatePolicy::default() }).await;
    let first = platform.commands.register_device(&platform.context(1), platform.device("SN-1")).await.unwrap();
    let second = platform.commands.renew_certificate(&platform.context(2), first.device_id, 90).await.unwrap();
    let renewed = certificate(&platform.commands, &platform, first.certificate.id).await.renewed.unwrap();
    assert_eq!(renewed.successor, second.certificate.id);
    assert_eq!(renewed.overlap_ends_at, Some(now() + TimeDelta::days(2)));
    // Neither a repeat nor a later renewal changes the successor or the end of the overlap.
    let later = open_platform_at(&platform, now() + TimeDelta::days(1)).await;
    later.renew_certificate(&platform.context(2), first.device_id, 90).await.unwrap();
    later.renew_certificate(&platform.context(3), first.device_id, 90).await.unwrap();
    assert_eq!(certificate(&later, &platform, first.certificate.id).await.renewed, Some(renewed));
    let context = CommandContext::system("test", platform.organization, id("end", 1));
    later.end_overlap(&context, first.certificate.id).await.unwrap();
    let ended = certificate(&later, &platform, first.certificate.id).await;
    assert_eq!(ended.revoked, Some(RevocationCode::Superseded));
}

#[tokio::test]
async fn a_certificate_is_renewed_automatically_once_and_only_if_the_policy_says_so() {
    let platform = TestPlatform::new().await;
    let first = platform.commands.register_device(&platform.context(1), platform.device("SN-1")).await.unwrap();
    let old = first.certificate.id;
    let note = platform.context(2);
    platform.commands.execute::<Certificate>(&note, old.0, CertificateCommand::NoteExpiring {}).await.unwrap();
    let renew = async |commands: &Commands| commands.renew_automatically(platform.organization, old).await.unwrap();
    assert_eq!(renew(&platform.commands).await, None, "the policy does not enable automatic renewal");
    set_policy(&platform, CertificatePolicy { automatic_renewal: true, ..CertificatePolicy::default() }).await;
    let other_process = open_platform_at(&platform, now()).await;
    let (here, there) = tokio::join!(renew(&platform.commands), renew(&other_process));
    let ids: Vec<_> = [here, there].into_iter().flatten().map(|renewed| renewed.certificate.id).collect();
    assert!(!ids.is_empty() && ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert_eq!(renew(&platform.commands).await, None, "the certificate is already renewed");
    let (before, after) =
        (certificate(&other_process, &platform, old).await, certificate(&other_process, &platform, ids[0]).await);
    let renewed = before.renewed.unwrap();
    assert_eq!(
        (renewed.successor, renewed.overlap_ends_at),
        (ids[0], None),
        "the overlap begins only when the device fetches the new certificate"
    );
    let (before, after) = (before.issued.unwrap(), after.issued.unwrap());
    assert_eq!(after.not_after - after.not_before, before.not_after - before.not_before);
}

#[tokio::test]
async fn a_revocation_list_never_shrinks() {
    let platform = TestPlatform::new().await;
    let revoked = |n: u64| Revocation {
        serial_number: format!("{n:032x}"),
        revoked_at: now(),
        code: RevocationCode::KeyCompromise,
    };
    let list = async |commands: &Commands, revocations: &[Revocation], position| {
        commands.revocation_list(platform.organization, revocations, position).await.unwrap().unwrap()
    };
    let none = list(&platform.commands, &[], 0).await;
    let one = list(&platform.commands, &[revoked(1)], 10).await;
    assert!(one.number > none.number);
    assert_eq!(list(&platform.commands, &[revoked(1)], 10).await, one, "one number always identifies the same list");
    let other_process = open_platform_at(&platform, now()).await;
    assert_eq!(
        list(&other_process, &[], 0).await,
        one,
        "the incomplete list of a read model under rebuild does not replace a later one"
    );
    let later = open_platform_at(&platform, now() + TimeDelta::hours(1)).await;
    let next = list(&later, &[revoked(1)], 10).await;
    assert!(next.number > one.number && next.der != one.der);
    let root = platform.commands.root_revocation_list().await.unwrap();
    assert_eq!(other_process.root_revocation_list().await.unwrap(), root);
    let unknown_organization = platform.commands.revocation_list(Uuid::nil().into(), &[], 0).await.unwrap();
    assert_eq!(unknown_organization, None);
}

#[tokio::test]
async fn after_a_rotation_only_the_new_master_key_opens_the_secrets() {
    let TestPlatform { log, keys, commands, organization, device_type } = TestPlatform::new().await;
    let platform =
        TestPlatform { commands: commands.clone(), log: log.clone(), keys: keys.clone(), organization, device_type };
    platform.commands.register_device(&platform.context(1), platform.device("SN-1")).await.unwrap();
    let new = Keys { master: certs::MasterKey::generate().unwrap(), ..keys.clone() };
    let rekeyed = commands::rotate_master_key(&log, &keys.master, &new.master).await.unwrap();
    assert!(rekeyed.changed >= 3, "the CA's key, the key of email addresses and the check value: {rekeyed:?}");
    let again = commands::rotate_master_key(&log, &keys.master, &new.master).await.unwrap();
    assert_eq!((again.changed, again.already), (0, rekeyed.changed));
    let refused = crate::test_platform::try_open(&log, &keys).await.err();
    assert!(
        refused.is_some_and(|error| error.to_string().contains("secrets")),
        "the old master key still opens the secrets"
    );
    let opened = crate::test_platform::open(&log, &new).await;
    opened.register_device(&platform.context(2), platform.device("SN-2")).await.unwrap();
    let stranger = certs::MasterKey::generate().unwrap();
    assert!(commands::rotate_master_key(&log, &stranger, &keys.master).await.is_err());
}

#[tokio::test]
async fn a_compromised_key_is_never_certified_again() {
    let platform = TestPlatform::new().await;
    let new = platform.device("SN-1");
    let csr = request("SN-1");
    let first = platform.commands.register_device_for_key(&platform.context(1), new, &csr).await.unwrap();
    let renewal = |csr: &str| Renewal { validity_days: 30, csr_pem: Some(csr.to_owned()), overlap_days: None };
    // A renewal may reuse the same key as long as it is not compromised.
    let renewed =
        platform.commands.renew_certificate(&platform.context(2), first.device_id, renewal(&csr)).await.unwrap();
    let code = RevocationCode::KeyCompromise;
    let id = renewed.certificate.id;
    platform.commands.revoke_certificate(&platform.context(3), first.device_id, id, "stolen", code).await.unwrap();
    let refused = platform.commands.renew_certificate(&platform.context(4), first.device_id, renewal(&csr)).await;
    assert!(matches!(refused, Err(Error::Refused(Refusal::CompromisedKey))), "{refused:?}");
    let fresh = request("SN-1");
    platform.commands.renew_certificate(&platform.context(6), first.device_id, renewal(&fresh)).await.unwrap();
    // The key stays refused for other devices and in other processes.
    let other_process = open_platform_at(&platform, now()).await;
    let key = KeyPair::generate().unwrap();
    let (context, new, csr) = (platform.context(7), platform.device("SN-2"), request_for(&key, "SN-2"));
    let second = platform.commands.register_device_for_key(&context, new, &csr).await.unwrap();
    other_process.revoke_certificates(&platform.context(8), second.device_id, "stolen", code).await.unwrap();
    let refused = other_process
        .register_device_for_key(&platform.context(9), platform.device("SN-3"), &request_for(&key, "SN-3"))
        .await;
    assert!(matches!(refused, Err(Error::Refused(Refusal::CompromisedKey))), "{refused:?}");
    other_process.register_device(&platform.context(10), platform.device("SN-3")).await.unwrap();
}
