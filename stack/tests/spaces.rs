//! Test spaces in the shared servers, and the removal of test data.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::process::Command;

use stack::testing::{TestStack, servers, space, sql};
use stack::{Options, Server, Stack};

#[tokio::test]
async fn each_space_has_its_own_database_and_prefixes() {
    let (one, other) = tokio::join!(space(), space());
    assert_ne!(one.stream_prefix, other.stream_prefix);
    assert_eq!(one.key_prefix, format!("{}:", one.stream_prefix));
    assert!(one.stream_prefix.starts_with('t') && one.stream_prefix.len() == 9);
    sql(&one.postgres, "CREATE TABLE mine (id int)").await.unwrap();
    assert!(sql(&one.postgres, "SELECT id FROM mine").await.is_ok());
    assert!(sql(&other.postgres, "SELECT id FROM mine").await.is_err());
}

#[tokio::test]
async fn all_tests_of_a_process_share_the_servers() {
    let (one, other) = tokio::join!(servers(), servers());
    assert_eq!(one, other);
    assert_eq!(space().await.nats, one.nats);
}

#[tokio::test]
async fn the_folder_of_a_dead_process_is_removed() {
    let mut dead = Command::new("true").spawn().unwrap();
    let pid = dead.id();
    dead.wait().unwrap();
    let folder = std::env::temp_dir().join(format!("argusiq-test-{pid}-0"));
    std::fs::create_dir_all(folder.join("nats/data")).unwrap();
    let _stack = TestStack::start(|options| options.only(Server::Redis)).await.unwrap();
    assert!(!folder.exists());
}

/// Only root runs PostgreSQL as another user; for other users the data stays in the data folder.
#[tokio::test]
async fn a_data_folder_below_a_private_home_works_and_is_removed_with_its_fallback() {
    let home = tempfile::tempdir().unwrap();
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    std::fs::set_permissions(home.path(), private).unwrap();
    let data_dir = home.path().join("work/.argusiq");
    let options = Options::throwaway(&data_dir).only(Server::Postgres);
    let stack = Stack::start(options.clone()).await.unwrap();
    let folder = sql(&stack.urls().postgres, "SHOW data_directory").await.unwrap().remove(0);
    let is_root = nix::unistd::Uid::effective().is_root();
    assert_eq!(folder.starts_with("/var/tmp/argusiq-"), is_root, "{folder}");
    stack.stop().await.unwrap();
    let again = Stack::start(options).await.unwrap();
    assert_eq!(sql(&again.urls().postgres, "SHOW data_directory").await.unwrap().concat(), folder);
    again.stop().await.unwrap();
    stack::testing::remove_data(&data_dir).unwrap();
    assert!(!std::path::Path::new(&folder).exists() && !data_dir.exists());
}
