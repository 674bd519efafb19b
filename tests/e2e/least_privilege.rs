//! Least privilege: every role works with its own NATS user and PostgreSQL role. Mixing servers of two installations,
//! or lacking rights, fails the start.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;

use eventlog::permissions::{self, Role};

use crate::clients;
use crate::device_to_screen::{
    assert_breach_raised_alarm_and_activity, assert_history_has_every_value, assert_latest_is_newest,
};
use crate::fixtures::{self, reading};
use crate::platform::{Platform, ROLES};

/// The password of every NATS and Redis user.
const PASSWORD: &str = "correct-horse";

/// Creates PostgreSQL's login roles; that of `migrate` owns the database.
async fn login_roles(postgres: &str) {
    let statements = [
        "CREATE ROLE argusiq_migrate LOGIN CREATEROLE",
        "ALTER DATABASE argusiq OWNER TO argusiq_migrate",
        "CREATE ROLE argusiq_api LOGIN",
        "CREATE ROLE argusiq_project LOGIN",
    ];
    for statement in statements {
        stack::testing::sql(postgres, statement).await.unwrap();
    }
}

/// Creates a Redis user that is limited to the installation's keys, as docs/operations.md describes.
fn redis_user(redis: &str) {
    let address = redis.trim_start_matches("redis://").trim_end_matches('/');
    let mut stream = TcpStream::connect(address).unwrap();
    let user = format!("ACL SETUSER argusiq on >{PASSWORD} ~argusiq:* &argusiq:* +@all -@admin -@dangerous +info\r\n");
    stream.write_all(user.as_bytes()).unwrap();
    let mut answer = [0; 5];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"+OK\r\n");
}

/// Returns the credentials of each command. `ingest` and `process` use the PostgreSQL role of `api`; all three read the
/// installation id.
fn credentials(urls: &stack::Urls) -> BTreeMap<&'static str, Vec<(String, String)>> {
    let roles = [
        ("migrate", Role::Migrate, "argusiq_migrate"),
        ("api", Role::Api, "argusiq_api"),
        ("ingest", Role::Ingest, "argusiq_api"),
        ("process", Role::Process, "argusiq_api"),
        ("project", Role::Project, "argusiq_project"),
        ("replay", Role::Project, "argusiq_project"),
    ];
    let of_role = |role: Role, postgres: &str| {
        let url = urls.postgres.replace("//argusiq@", &format!("//{postgres}@"));
        let pairs = [
            ("ARGUSIQ_NATS__USER", role.user()),
            ("ARGUSIQ_NATS__PASSWORD", PASSWORD.to_owned()),
            ("ARGUSIQ_POSTGRES__URL", url),
            ("ARGUSIQ_REDIS__URL", urls.redis.replace("redis://", &format!("redis://argusiq:{PASSWORD}@"))),
        ];
        pairs.map(|(name, value)| (name.to_owned(), value)).to_vec()
    };
    roles.into_iter().map(|(command, role, postgres)| (command, of_role(role, postgres))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_role_works_with_its_own_credentials() {
    assert_roles_work("jetstream", &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_role_works_with_its_own_credentials_and_events_in_postgres() {
    assert_roles_work("postgres", &["GRANT argusiq_events TO argusiq_api"]).await;
}

async fn assert_roles_work(event_store: &str, more_grants: &[&str]) {
    let users = permissions::server_configuration_with(&eventlog::Settings::new(""), PASSWORD);
    let with_store = |urls: &stack::Urls| {
        let mut credentials = credentials(urls);
        for settings in credentials.values_mut() {
            settings.push(("ARGUSIQ_EVENT_STORE".to_owned(), event_store.to_owned()));
        }
        credentials
    };
    let mut platform = Platform::with_nats_configuration(users, with_store).await;
    let postgres = platform.stack.as_ref().unwrap().urls().postgres.clone();
    login_roles(&postgres).await;
    redis_user(&platform.stack.as_ref().unwrap().urls().redis);
    platform.run(&["migrate"]);
    let grants = ["GRANT argusiq_read TO argusiq_api", "GRANT argusiq_write TO argusiq_project"];
    for grant in grants.iter().chain(more_grants) {
        stack::testing::sql(&postgres, grant).await.unwrap();
    }
    tokio::task::block_in_place(|| {
        ROLES.iter().for_each(|role| platform.start(role));
        platform.wait_until_ready();
        let api = platform.admin();
        let device = fixtures::device(&api, platform.folder.path(), "SN-1");
        let asset = fixtures::asset(&api, &device);
        let rule = fixtures::hot_rule(&api, &asset);
        let readings =
            [reading(50.0, -3000), reading(55.0, -2000), reading(90.0, -1000), reading(60.0, -500), reading(61.0, 0)];
        let sent = clients::paho(&device, platform.mqtt_port(), "5", &device.topic, &readings);
        assert_eq!(sent.acknowledged(), 5, "{sent:?}");
        assert_history_has_every_value(&api, &device.id, &asset);
        assert_latest_is_newest(&api, &device.id);
        assert_breach_raised_alarm_and_activity(&api, &asset, &rule);
        let replayed = platform.run(&["replay", "projections", "--all"]);
        assert!(replayed.contains("equal") && !replayed.contains("DIFFERENT"), "{replayed}");
        for role in ROLES {
            let log = platform.log(role);
            assert!(!log.to_lowercase().contains("permissions violation"), "{role} lacks a permission:\n{log}");
            assert!(!log.contains(PASSWORD), "{role} logs its password");
        }
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn mixed_installations_and_missing_rights_fail_the_start() {
    let platform = Platform::with_nats_configuration(String::new(), |_| BTreeMap::new()).await;
    let postgres = platform.stack.as_ref().unwrap().urls().postgres.clone();
    for statement in ["CREATE ROLE powerless LOGIN", "CREATE DATABASE other"] {
        stack::testing::sql(&postgres, statement).await.unwrap();
    }
    tokio::task::block_in_place(|| {
        let powerless = postgres.replace("//argusiq@", "//powerless@");
        let line = platform.run_refused(&["migrate"], &[("ARGUSIQ_POSTGRES__URL", &powerless)]);
        assert!(line.contains("postgres.url") && line.contains("owner of the database"), "{line}");

        platform.run(&["migrate"]);
        platform.run(&["migrate"]);
        let other = format!("{}/other", postgres.rsplit_once('/').unwrap().0);
        let other = [
            ("ARGUSIQ_POSTGRES__URL", other.as_str()),
            ("ARGUSIQ_NATS__STREAM_PREFIX", "other"),
            ("ARGUSIQ_REDIS__KEY_PREFIX", "other:"),
        ];
        let line = platform.run_refused(&["project"], &other);
        assert!(line.contains("run the migrations first"), "{line}");
        let line = platform.run_refused(&["ingest"], &other[..1]);
        assert!(line.contains("PostgreSQL has no installation yet: run `argusiq migrate`"), "{line}");
        platform.run_with(&["migrate"], &other);
        for role in ROLES {
            let line = platform.run_refused(&[role], &other[..1]);
            assert!(
                line.contains("two installations") && line.contains("the log") && line.contains("PostgreSQL"),
                "{line}"
            );
        }
        let line = platform.run_refused(&["migrate"], &[("ARGUSIQ_REDIS__KEY_PREFIX", "other:")]);
        assert!(line.contains("two installations") && line.contains("Redis"), "{line}");
        let line = platform.run_refused(&["api"], &[("ARGUSIQ_NATS__USER", "api")]);
        assert!(line.contains("nats.user and its password"), "{line}");
    });
}
