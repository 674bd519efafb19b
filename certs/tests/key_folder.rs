//! The key folder that `argusiq ca init` creates: repeating the command is safe.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use certs::key_folder::Error;
use certs::{MasterKey, init_key_folder, open_key_folder, read_server_files};
use support::*;

const NAMES: [&str; 2] = ["localhost", "127.0.0.1"];

fn files_in(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(dir).unwrap().map(Result::unwrap);
    entries.map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap())).collect()
}

#[test]
fn the_first_run_creates_every_file_and_a_second_run_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("data/ca");
    let first = init_key_folder(&dir, NAMES, None, now()).unwrap();
    assert!(first.master_key_created && first.root_created && first.server_issued.is_some());
    let before = files_in(&dir);
    assert_eq!(
        before.keys().map(String::as_str).collect::<Vec<_>>(),
        ["master.key", "root.crt", "root.key.sealed", "server.crt", "server.key"]
    );
    for secret in ["master.key", "root.key.sealed", "server.key"] {
        assert_eq!(std::fs::metadata(dir.join(secret)).unwrap().permissions().mode() & 0o777, 0o600, "{secret}");
    }
    let modified = || std::fs::metadata(&dir).unwrap().modified().unwrap();
    let modified_before = modified();
    let second = init_key_folder(&dir, ["127.0.0.1", "LOCALHOST"], None, now() + days(300)).unwrap();
    assert!(!second.master_key_created && !second.root_created);
    assert_eq!(modified(), modified_before, "a complete folder is never written to: it may be mounted read-only");
    assert_eq!(second.server_issued, None);
    assert_eq!(files_in(&dir), before);
    let opened = open_key_folder(&dir, None).unwrap();
    assert_eq!(opened.root.certificate_pem(), first.folder.root.certificate_pem());
    assert_eq!(opened.server_private_key_pem, first.folder.server_private_key_pem);
}

#[test]
fn a_listener_needs_three_files_and_neither_master_key_nor_root_key() {
    let dir = tempfile::tempdir().unwrap();
    let created = init_key_folder(dir.path(), NAMES, None, now()).unwrap().folder;
    for secret in ["master.key", "root.key.sealed"] {
        std::fs::remove_file(dir.path().join(secret)).unwrap();
    }
    let files = read_server_files(dir.path()).unwrap();
    assert_eq!(files.root_certificate_pem, created.root.certificate_pem());
    assert_eq!(files.server_certificate_pem, created.server_certificate_pem);
    assert_eq!(files.server_private_key_pem, created.server_private_key_pem);
    std::fs::remove_file(dir.path().join("server.key")).unwrap();
    let refused = read_server_files(dir.path()).unwrap_err().to_string();
    assert!(refused.ends_with("server.key"), "{refused}");
}

#[test]
fn a_server_certificate_that_expires_or_does_not_match_is_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let issued = |names: &[&str], at| init_key_folder(dir, names, None, at).unwrap().server_issued;
    assert_eq!(issued(&NAMES, now()), Some("none existed"));
    assert_eq!(issued(&["localhost", "10.0.0.7"], now()), Some("the server's names changed"));
    assert_eq!(issued(&["localhost", "10.0.0.7"], now() + days(335)), None);
    assert_eq!(issued(&["localhost", "10.0.0.7"], now() + days(336)), Some("it expires within 30 days"));
    let elsewhere = tempfile::tempdir().unwrap();
    init_key_folder(elsewhere.path(), ["localhost", "10.0.0.7"], None, now()).unwrap();
    let copy = |name: &str| std::fs::copy(elsewhere.path().join(name), dir.join(name)).unwrap();
    copy("server.key");
    assert_eq!(issued(&["localhost", "10.0.0.7"], now()), Some("its key did not match"));
    copy("server.key");
    copy("server.crt");
    assert_eq!(issued(&["localhost", "10.0.0.7"], now()), Some("another root CA had signed it"));
    std::fs::write(dir.join("server.crt"), "nonsense").unwrap();
    assert_eq!(issued(&["localhost", "10.0.0.7"], now()), Some("it could not be read"));
}

#[test]
fn a_lost_root_certificate_is_restored_and_another_root_certificate_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let created = init_key_folder(dir.path(), NAMES, None, now()).unwrap();
    std::fs::remove_file(dir.path().join("root.crt")).unwrap();
    init_key_folder(dir.path(), NAMES, None, now()).unwrap();
    let restored = std::fs::read_to_string(dir.path().join("root.crt")).unwrap();
    assert_eq!(restored, created.folder.root.certificate_pem());
    std::fs::write(dir.path().join("root.crt"), pki().root.certificate_pem()).unwrap();
    assert!(matches!(init_key_folder(dir.path(), NAMES, None, now()), Err(Error::OtherRoot(_))));
}

#[test]
fn a_master_key_from_outside_the_folder_is_used_but_not_written() {
    let dir = tempfile::tempdir().unwrap();
    let master = MasterKey::generate().unwrap();
    init_key_folder(dir.path(), NAMES, Some(master.clone()), now()).unwrap();
    assert!(!dir.path().join("master.key").exists());
    open_key_folder(dir.path(), Some(master)).unwrap();
    assert!(matches!(init_key_folder(dir.path(), NAMES, None, now()), Err(Error::MasterKeyMissing { .. })));
    assert!(matches!(open_key_folder(dir.path(), None), Err(Error::MasterKey(_))));
    let wrong = open_key_folder(dir.path(), Some(MasterKey::generate().unwrap()));
    assert!(matches!(wrong, Err(Error::Authority(_))));
    assert!(!dir.path().join("master.key").exists(), "a refused run creates no master key");
}

#[test]
fn invalid_server_names_are_refused_before_anything_is_created() {
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
    assert_eq!(files_in(dir.path()).len(), 1, "no temporary file is left");
}

#[test]
fn concurrent_initialisations_create_the_folder_once() {
    let dir = tempfile::tempdir().unwrap();
    let created = std::thread::scope(|scope| {
        let run = || init_key_folder(dir.path(), NAMES, None, now()).unwrap();
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(run)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(created.iter().filter(|run| run.root_created).count(), 1);
    assert_eq!(created.iter().filter(|run| run.server_issued.is_some()).count(), 1);
}

#[test]
fn an_interrupted_master_key_rotation_can_be_repeated_and_leaves_only_the_new_key() {
    use certs::master_key_rotation::{adopt_master_key, next_master_key, reseal_root};
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let created = init_key_folder(dir, NAMES, None, now()).unwrap().folder;
    let next = next_master_key(dir).unwrap();
    assert_ne!(next.id(), created.master.id());
    assert_eq!(next_master_key(dir).unwrap().id(), next.id(), "a repeated rotation uses the same new key");
    open_key_folder(dir, None).expect("the old key opens the folder until the root key is resealed");
    assert!(reseal_root(dir, &created.master, &next).unwrap());
    assert!(!reseal_root(dir, &created.master, &next).unwrap());
    assert!(open_key_folder(dir, None).is_err(), "the old key no longer opens the folder");
    adopt_master_key(dir).unwrap();
    adopt_master_key(dir).unwrap();
    let opened = open_key_folder(dir, None).unwrap();
    assert_eq!((opened.master.id(), opened.root.certificate_pem()), (next.id(), created.root.certificate_pem()));
    assert_eq!(std::fs::metadata(dir.join("master.key")).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!dir.join("master.key.next").exists());
    let unrelated = MasterKey::generate().unwrap();
    assert!(reseal_root(dir, &unrelated, &created.master).is_err());
}
