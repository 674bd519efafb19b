//! Pending devices, claim codes, certificates for keys of devices, bundles, automatic renewal, revocation lists.

use chrono::{DateTime, TimeDelta, Utc};
use commands::device::Refusal;
use commands::{CommandContext, Commands, Error, Keys, Renewal, Revocation, TakenBundle};
use domain::certificate::{Certificate, CertificateCommand, RevocationCode};
use domain::device::Error as DeviceRefusal;
use domain::ids::CertificateId;
use domain::organization::{CertificatePolicy, Organization, OrganizationCommand};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use uuid::Uuid;

use crate::world::{World, id, now, open_at};

fn request(name: &str) -> String {
    request_of(&KeyPair::generate().unwrap(), name)
}

fn request_of(key: &KeyPair, name: &str) -> String {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters.serialize_request(key).unwrap().pem().unwrap()
}

async fn choose(world: &World, policy: CertificatePolicy) {
    let context = world.context(id("policy", 0).as_u128());
    let command = OrganizationCommand::ChangeCertificatePolicy { policy };
    world.commands.execute::<Organization>(&context, world.organization.0, command).await.unwrap();
}

async fn certificate(commands: &Commands, world: &World, id: CertificateId) -> Certificate {
    commands.load::<Certificate>(world.organization, id.0).await.unwrap().unwrap().0
}

fn at(world: &World, when: DateTime<Utc>) -> impl Future<Output = Commands> + '_ {
    open_at(&world.log, &world.keys, when)
}

#[tokio::test]
async fn a_code_is_good_until_it_expires_and_for_one_request() {
    let world = World::new().await;
    let device = world.commands.register_pending_device(&world.context(1), world.device("SN-1")).await.unwrap();
    let issued = world.commands.issue_claim_code(&world.context(2), device.device_id, 1).await.unwrap();
    let code = issued.code.unwrap();
    let (code, csr) = (code.expose(), request("SN-1"));
    let late = at(&world, now() + TimeDelta::hours(1)).await;
    let refused = late.enroll(code, "SN-1", &csr, Uuid::nil()).await.unwrap_err();
    assert!(matches!(refused, Error::Refused(Refusal::Device(DeviceRefusal::ClaimCodeExpired))), "{refused:?}");
    let enrolled = world.commands.enroll(code, "SN-1", &csr, Uuid::nil()).await.unwrap();
    assert_eq!((enrolled.device, enrolled.certificate.private_key_pem), (device.device_id, None));
    // The answer was lost; meanwhile the code has expired, and is used anyway.
    let again = late.enroll(code, "SN-1", &csr, Uuid::nil()).await.unwrap();
    assert_eq!(again.certificate.id, enrolled.certificate.id);
    let refused = world.commands.enroll(code, "SN-1", &request("SN-1"), Uuid::nil()).await.unwrap_err();
    assert!(matches!(refused, Error::Refused(Refusal::Device(DeviceRefusal::ClaimCodeUsed))), "{refused:?}");
    let issued = world.messages(world.organization, "certificate", enrolled.certificate.id.0).await;
    assert!(String::from_utf8_lossy(&issued[0].payload).contains(&format!("device:{}", device.device_id)));
    for message in world.all_messages().await {
        assert!(!String::from_utf8_lossy(&message.payload).contains(code), "a code stands in {}", message.subject);
    }
}

#[tokio::test]
async fn enrolments_at_once_use_a_code_once() {
    let world = World::new().await;
    let device = world.commands.register_pending_device(&world.context(1), world.device("SN-1")).await.unwrap();
    let code = world.commands.issue_claim_code(&world.context(2), device.device_id, 1).await.unwrap().code.unwrap();
    let elsewhere = at(&world, now()).await;
    let (one, other) = (request("SN-1"), request("SN-1"));
    let (here, there) = tokio::join!(
        world.commands.enroll(code.expose(), "SN-1", &one, Uuid::nil()),
        elsewhere.enroll(code.expose(), "SN-1", &other, Uuid::nil()),
    );
    assert_eq!([here.is_ok(), there.is_ok()].iter().filter(|enrolled| **enrolled).count(), 1);
}

#[tokio::test]
async fn a_bundle_is_taken_once_in_time_and_by_one() {
    let world = World::new().await;
    let registered = world.commands.register_device(&world.context(1), world.device("SN-1")).await.unwrap();
    let device = registered.device_id;
    let keep = || world.commands.keep_bundle(world.organization, device, &registered.certificate);
    let (first, second) = (keep().await.unwrap().unwrap(), keep().await.unwrap().unwrap());
    assert_ne!(first, second);
    let elsewhere = at(&world, now()).await;
    let (here, there) = tokio::join!(world.commands.take_bundle(device, &first), elsewhere.take_bundle(device, &first));
    let taken = [here.unwrap(), there.unwrap()];
    assert_eq!(taken.iter().filter(|taken| matches!(taken, TakenBundle::Bundle(_))).count(), 1, "{taken:?}");
    assert!(taken.contains(&TakenBundle::Gone));
    assert_eq!(world.commands.take_bundle(device, &first).await.unwrap(), TakenBundle::Gone);
    let late = at(&world, now() + TimeDelta::minutes(15)).await;
    assert_eq!(late.take_bundle(device, &second).await.unwrap(), TakenBundle::Gone);
    assert_eq!(world.commands.take_bundle(device, "nonsense").await.unwrap(), TakenBundle::Unknown);
    let repeated = world.commands.register_device(&world.context(1), world.device("SN-1")).await.unwrap();
    let kept = world.commands.keep_bundle(world.organization, device, &repeated.certificate).await.unwrap();
    assert_eq!(kept, None, "a key that is gone is not kept");
}

#[tokio::test]
async fn a_renewal_ends_the_ones_before_after_the_overlap_and_no_sooner() {
    let world = World::new().await;
    choose(&world, CertificatePolicy { overlap_days: 2, ..CertificatePolicy::default() }).await;
    let first = world.commands.register_device(&world.context(1), world.device("SN-1")).await.unwrap();
    let second = world.commands.renew_certificate(&world.context(2), first.device_id, 90).await.unwrap();
    let renewed = certificate(&world.commands, &world, first.certificate.id).await.renewed.unwrap();
    assert_eq!(renewed.successor, second.certificate.id);
    assert_eq!(renewed.overlap_ends_at, Some(now() + TimeDelta::days(2)));
    // A repeat and a later renewal change neither.
    let later = at(&world, now() + TimeDelta::days(1)).await;
    later.renew_certificate(&world.context(2), first.device_id, 90).await.unwrap();
    later.renew_certificate(&world.context(3), first.device_id, 90).await.unwrap();
    assert_eq!(certificate(&later, &world, first.certificate.id).await.renewed, Some(renewed));
    let context = CommandContext::system("test", world.organization, id("end", 1));
    later.end_overlap(&context, first.certificate.id).await.unwrap();
    let ended = certificate(&later, &world, first.certificate.id).await;
    assert_eq!(ended.revoked, Some(RevocationCode::Superseded));
}

#[tokio::test]
async fn a_certificate_is_renewed_automatically_once_and_only_by_choice() {
    let world = World::new().await;
    let first = world.commands.register_device(&world.context(1), world.device("SN-1")).await.unwrap();
    let old = first.certificate.id;
    let note = world.context(2);
    world.commands.execute::<Certificate>(&note, old.0, CertificateCommand::NoteExpiring {}).await.unwrap();
    let renew = async |commands: &Commands| commands.renew_automatically(world.organization, old).await.unwrap();
    assert_eq!(renew(&world.commands).await, None, "nobody chose it");
    choose(&world, CertificatePolicy { automatic_renewal: true, ..CertificatePolicy::default() }).await;
    let elsewhere = at(&world, now()).await;
    let (here, there) = tokio::join!(renew(&world.commands), renew(&elsewhere));
    let ids: Vec<_> = [here, there].into_iter().flatten().map(|renewed| renewed.certificate.id).collect();
    assert!(!ids.is_empty() && ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert_eq!(renew(&world.commands).await, None, "it is renewed");
    let (before, after) = (certificate(&elsewhere, &world, old).await, certificate(&elsewhere, &world, ids[0]).await);
    let renewed = before.renewed.unwrap();
    assert_eq!((renewed.successor, renewed.overlap_ends_at), (ids[0], None), "it waits until it is fetched");
    let (before, after) = (before.issued.unwrap(), after.issued.unwrap());
    assert_eq!(after.not_after - after.not_before, before.not_after - before.not_before);
}

#[tokio::test]
async fn a_revocation_list_grows_and_never_shrinks() {
    let world = World::new().await;
    let revoked = |n: u64| Revocation {
        serial_number: format!("{n:032x}"),
        revoked_at: now(),
        code: RevocationCode::KeyCompromise,
    };
    let list = async |commands: &Commands, revocations: &[Revocation], position| {
        commands.revocation_list(world.organization, revocations, position).await.unwrap().unwrap()
    };
    let none = list(&world.commands, &[], 0).await;
    let one = list(&world.commands, &[revoked(1)], 10).await;
    assert!(one.number > none.number);
    assert_eq!(list(&world.commands, &[revoked(1)], 10).await, one, "one number, one list");
    let elsewhere = at(&world, now()).await;
    assert_eq!(list(&elsewhere, &[], 0).await, one, "a read model that is being rebuilt takes nothing back");
    let later = at(&world, now() + TimeDelta::hours(1)).await;
    let next = list(&later, &[revoked(1)], 10).await;
    assert!(next.number > one.number && next.der != one.der);
    let root = world.commands.root_revocation_list().await.unwrap();
    assert_eq!(elsewhere.root_revocation_list().await.unwrap(), root);
    let nobody = world.commands.revocation_list(Uuid::nil().into(), &[], 0).await.unwrap();
    assert_eq!(nobody, None);
}

#[tokio::test]
async fn another_master_key_opens_everything_and_the_old_one_nothing() {
    let World { log, keys, commands, organization, device_type } = World::new().await;
    let world = World { commands: commands.clone(), log: log.clone(), keys: keys.clone(), organization, device_type };
    world.commands.register_device(&world.context(1), world.device("SN-1")).await.unwrap();
    let new = Keys { master: certs::MasterKey::generate().unwrap(), ..keys.clone() };
    let rekeyed = commands::rotate_master_key(&log, &keys.master, &new.master).await.unwrap();
    assert!(rekeyed.changed >= 3, "the CA, the key of addresses and the mark: {rekeyed:?}");
    let again = commands::rotate_master_key(&log, &keys.master, &new.master).await.unwrap();
    assert_eq!((again.changed, again.already), (0, rekeyed.changed));
    let refused = crate::world::try_open(&log, &keys).await.err();
    assert!(refused.is_some_and(|error| error.to_string().contains("secrets")), "the old key opens something");
    let opened = crate::world::open(&log, &new).await;
    opened.register_device(&world.context(2), world.device("SN-2")).await.unwrap();
    let stranger = certs::MasterKey::generate().unwrap();
    assert!(commands::rotate_master_key(&log, &stranger, &keys.master).await.is_err());
}

#[tokio::test]
async fn a_compromised_key_is_never_certified_again() {
    let world = World::new().await;
    let new = world.device("SN-1");
    let csr = request("SN-1");
    let first = world.commands.register_device_for_key(&world.context(1), new, &csr).await.unwrap();
    let renewal = |csr: &str| Renewal { validity_days: 30, csr_pem: Some(csr.to_owned()), overlap_days: None };
    // The same key again is no offence in itself.
    let renewed = world.commands.renew_certificate(&world.context(2), first.device_id, renewal(&csr)).await.unwrap();
    let code = RevocationCode::KeyCompromise;
    let id = renewed.certificate.id;
    world.commands.revoke_certificate(&world.context(3), first.device_id, id, "stolen", code).await.unwrap();
    let refused = world.commands.renew_certificate(&world.context(4), first.device_id, renewal(&csr)).await;
    assert!(matches!(refused, Err(Error::Refused(Refusal::CompromisedKey))), "{refused:?}");
    let fresh = request("SN-1");
    world.commands.renew_certificate(&world.context(6), first.device_id, renewal(&fresh)).await.unwrap();
    // Nor for another device, nor in another process.
    let other = at(&world, now()).await;
    let key = KeyPair::generate().unwrap();
    let (context, new, csr) = (world.context(7), world.device("SN-2"), request_of(&key, "SN-2"));
    let second = world.commands.register_device_for_key(&context, new, &csr).await.unwrap();
    other.revoke_certificates(&world.context(8), second.device_id, "stolen", code).await.unwrap();
    let refused =
        other.register_device_for_key(&world.context(9), world.device("SN-3"), &request_of(&key, "SN-3")).await;
    assert!(matches!(refused, Err(Error::Refused(Refusal::CompromisedKey))), "{refused:?}");
    other.register_device(&world.context(10), world.device("SN-3")).await.unwrap();
}
