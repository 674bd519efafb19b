//! The folder of `argusiq ca init`: made once, safe to make again.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use certs::key_folder::Error;
use certs::{MasterKey, init_key_folder, open_key_folder, read_server_files};
use support::*;

const NAMES: [&str; 2] = ["localhost", "127.0.0.1"];

fn content(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(dir).unwrap().map(Result::unwrap);
    entries.map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap())).collect()
}

#[test]
fn a_fresh_folder_gets_everything_and_a_second_run_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("data/ca");
    let first = init_key_folder(&dir, NAMES, None, now()).unwrap();
    assert!(first.master_key_created && first.root_created && first.server_issued.is_some());
    let before = content(&dir);
    assert_eq!(
        before.keys().map(String::as_str).collect::<Vec<_>>(),
        ["master.key", "root.crt", "root.key.sealed", "server.crt", "server.key"]
    );
    for secret in ["master.key", "root.key.sealed", "server.key"] {
        assert_eq!(std::fs::metadata(dir.join(secret)).unwrap().permissions().mode() & 0o777, 0o600, "{secret}");
    }
    let touched = || std::fs::metadata(&dir).unwrap().modified().unwrap();
    let made_at = touched();
    let second = init_key_folder(&dir, ["127.0.0.1", "LOCALHOST"], None, now() + days(300)).unwrap();
    assert!(!second.master_key_created && !second.root_created);
    assert_eq!(touched(), made_at, "a complete folder is written to by nobody: it may be mounted read-only");
    assert_eq!(second.server_issued, None);
    assert_eq!(content(&dir), before);
    let opened = open_key_folder(&dir, None).unwrap();
    assert_eq!(opened.root.certificate_pem(), first.folder.root.certificate_pem());
    assert_eq!(opened.server_private_key_pem, first.folder.server_private_key_pem);
}

#[test]
fn a_listener_needs_three_files_and_no_key_but_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let made = init_key_folder(dir.path(), NAMES, None, now()).unwrap().folder;
    for secret in ["master.key", "root.key.sealed"] {
        std::fs::remove_file(dir.path().join(secret)).unwrap();
    }
    let files = read_server_files(dir.path()).unwrap();
    assert_eq!(files.root_certificate_pem, made.root.certificate_pem());
    assert_eq!(files.server_certificate_pem, made.server_certificate_pem);
    assert_eq!(files.server_private_key_pem, made.server_private_key_pem);
    std::fs::remove_file(dir.path().join("server.key")).unwrap();
    let refused = read_server_files(dir.path()).unwrap_err().to_string();
    assert!(refused.ends_with("server.key"), "{refused}");
}

#[test]
fn the_server_certificate_is_replaced_when_it_no_longer_fits() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let issued = |names: &[&str], at| init_key_folder(dir, names, None, at).unwrap().server_issued;
    assert_eq!(issued(&NAMES, now()), Some("there was none"));
    assert_eq!(issued(&["localhost", "10.0.0.7"], now()), Some("the server's names changed"));
    assert_eq!(issued(&["localhost", "10.0.0.7"], now() + days(335)), None);
    assert_eq!(issued(&["localhost", "10.0.0.7"], now() + days(336)), Some("it ends within 30 days"));
    let elsewhere = tempfile::tempdir().unwrap();
    init_key_folder(elsewhere.path(), ["localhost", "10.0.0.7"], None, now()).unwrap();
    let copy = |name: &str| std::fs::copy(elsewhere.path().join(name), dir.join(name)).unwrap();
    copy("server.key");
    assert_eq!(issued(&["localhost", "10.0.0.7"], now()), Some("its key was another"));
    copy("server.key");
    copy("server.crt");
    assert_eq!(issued(&["localhost", "10.0.0.7"], now()), Some("another root had signed it"));
    std::fs::write(dir.join("server.crt"), "nonsense").unwrap();
    assert_eq!(issued(&["localhost", "10.0.0.7"], now()), Some("it could not be read"));
}

#[test]
fn a_lost_public_root_certificate_comes_back_and_a_foreign_one_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let made = init_key_folder(dir.path(), NAMES, None, now()).unwrap();
    std::fs::remove_file(dir.path().join("root.crt")).unwrap();
    init_key_folder(dir.path(), NAMES, None, now()).unwrap();
    let back = std::fs::read_to_string(dir.path().join("root.crt")).unwrap();
    assert_eq!(back, made.folder.root.certificate_pem());
    std::fs::write(dir.path().join("root.crt"), pki().root.certificate_pem()).unwrap();
    assert!(matches!(init_key_folder(dir.path(), NAMES, None, now()), Err(Error::OtherRoot(_))));
}

#[test]
fn a_master_key_from_elsewhere_is_used_and_not_written() {
    let dir = tempfile::tempdir().unwrap();
    let master = MasterKey::generate().unwrap();
    init_key_folder(dir.path(), NAMES, Some(master.clone()), now()).unwrap();
    assert!(!dir.path().join("master.key").exists());
    open_key_folder(dir.path(), Some(master)).unwrap();
    assert!(matches!(init_key_folder(dir.path(), NAMES, None, now()), Err(Error::MasterKeyMissing { .. })));
    assert!(matches!(open_key_folder(dir.path(), None), Err(Error::MasterKey(_))));
    let wrong = open_key_folder(dir.path(), Some(MasterKey::generate().unwrap()));
    assert!(matches!(wrong, Err(Error::Authority(_))));
    assert!(!dir.path().join("master.key").exists(), "a refusal makes no key");
}

#[test]
fn names_that_cannot_be_certified_are_refused_before_anything_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let inside = dir.path().join("ca");
    assert!(matches!(init_key_folder(&inside, ["https://x"], None, now()), Err(Error::ServerNames(_))));
    assert!(!inside.exists());
}

#[test]
fn a_master_key_file_is_never_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("master.key");
    let key = MasterKey::create_file(&path).unwrap();
    assert!(MasterKey::create_file(&path).is_err());
    assert_eq!(MasterKey::from_file(&path).unwrap().expose(), key.expose());
    assert_eq!(content(dir.path()).len(), 1, "no temporary file stays behind");
}

#[test]
fn many_that_initialise_at_once_agree() {
    let dir = tempfile::tempdir().unwrap();
    let made = std::thread::scope(|scope| {
        let run = || init_key_folder(dir.path(), NAMES, None, now()).unwrap();
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(run)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(made.iter().filter(|one| one.root_created).count(), 1);
    assert_eq!(made.iter().filter(|one| one.server_issued.is_some()).count(), 1);
}

#[test]
fn a_rotation_of_the_master_key_can_be_broken_off_anywhere_and_ends_with_the_new_key_alone() {
    use certs::master_key_rotation::{adopt_master_key, next_master_key, reseal_root};
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let made = init_key_folder(dir, NAMES, None, now()).unwrap().folder;
    let next = next_master_key(dir).unwrap();
    assert_ne!(next.id(), made.master.id());
    assert_eq!(next_master_key(dir).unwrap().id(), next.id(), "begun again, it is the same key");
    open_key_folder(dir, None).expect("nothing has changed yet");
    assert!(reseal_root(dir, &made.master, &next).unwrap());
    assert!(!reseal_root(dir, &made.master, &next).unwrap());
    assert!(open_key_folder(dir, None).is_err(), "the old key opens nothing");
    adopt_master_key(dir).unwrap();
    adopt_master_key(dir).unwrap();
    let opened = open_key_folder(dir, None).unwrap();
    assert_eq!((opened.master.id(), opened.root.certificate_pem()), (next.id(), made.root.certificate_pem()));
    assert_eq!(std::fs::metadata(dir.join("master.key")).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!dir.join("master.key.next").exists());
    let stranger = MasterKey::generate().unwrap();
    assert!(reseal_root(dir, &stranger, &made.master).is_err());
}
