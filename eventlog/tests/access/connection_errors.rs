//! An error that prevents a connection is one clear line, and is returned early when retrying cannot help.

use std::time::{Duration, Instant};

use eventlog::connection::Error;
use eventlog::permissions::Role;
use eventlog::{Credentials, Log, Settings};
use stack::Server;
use stack::testing::TestStack;

use crate::old_server::old_server;
use crate::secured_server::{PASSWORD, SecuredServer};

/// Well below the connect deadline of 15 s: these errors are not retried.
const WITHOUT_RETRIES: Duration = Duration::from_secs(8);

async fn refusal(settings: Settings) -> (Error, String) {
    let started = Instant::now();
    let error = Log::connect(settings).await.err().expect("a refusal");
    assert!(started.elapsed() < WITHOUT_RETRIES, "{:?}: {error}", started.elapsed());
    let text = error.to_string();
    assert_eq!(text.lines().count(), 1, "{text}");
    (error, text)
}

async fn open_server(configuration: &str) -> TestStack {
    let nats_configuration = configuration.to_owned();
    let stack = TestStack::start(|options| stack::Options { nats_configuration, ..options.only(Server::Nats) });
    stack.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_an_unknown_user_and_no_user_are_rejected_by_name() {
    let server = SecuredServer::start().await;
    let mut settings = server.settings(Role::Api);
    settings.credentials.password = Some("hunter2".to_owned());
    let (error, text) = refusal(settings.clone()).await;
    assert!(matches!(error, Error::Refused { .. }), "{error:?}");
    assert!(text.contains("argusiq-api") && text.contains("nats.user") && !text.contains("hunter2"), "{text}");
    settings.credentials.user = Some("nobody".to_owned());
    assert!(refusal(settings.clone()).await.1.contains("nobody"));
    settings.credentials = Credentials { tls_ca_file: settings.credentials.tls_ca_file, ..Credentials::default() };
    assert!(refusal(settings).await.1.contains("without user"));
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_about_a_wrong_ca_or_a_missing_file_name_the_setting() {
    let server = SecuredServer::start().await;
    for file in [server.ca("other"), server.folder.path().join("nowhere.pem")] {
        let mut settings = server.settings(Role::Api);
        settings.credentials = Credentials { tls_ca_file: Some(file), ..Credentials::user(Role::Api.user(), PASSWORD) };
        let (error, text) = refusal(settings).await;
        assert!(matches!(error, Error::Tls { .. }), "{error:?}");
        assert!(text.contains("nats.tls_ca_file"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_error_about_an_old_server_names_its_version_and_the_required_one() {
    let server = open_server("").await;
    let (error, text) = refusal(Settings::new(old_server(&server.urls().nats, "2.10.29").await)).await;
    assert!(matches!(error, Error::TooOld { .. }), "{error:?}");
    assert!(text.contains("2.10.29") && text.contains("2.11.0"), "{text}");
    Log::connect(Settings::new(old_server(&server.urls().nats, "2.11.0").await)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_without_jetstream_is_reported() {
    let users = "accounts { PLAIN { users: [ { user: plain, password: secret } ] } }";
    let server = open_server(users).await;
    let mut settings = Settings::new(server.urls().nats.clone());
    settings.credentials = Credentials::user("plain", "secret");
    let (error, text) = refusal(settings).await;
    assert!(matches!(error, Error::NoJetStream { .. }), "{error:?}");
    assert!(text.contains("JetStream is not enabled"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_jetstream_is_reported() {
    let binaries =
        tokio::task::spawn_blocking(|| stack::ensure_installed(&[Server::Nats], true)).await.unwrap().unwrap();
    let port = stack::free_port();
    let mut plain = std::process::Command::new(binaries.nats)
        .args(["--addr", "127.0.0.1", "--port", &port.to_string()])
        .spawn()
        .unwrap();
    let mut settings = Settings::new(format!("nats://127.0.0.1:{port}"));
    settings.connect_deadline = Duration::from_secs(3);
    let outcome = Log::connect(settings).await;
    plain.kill().unwrap();
    plain.wait().unwrap();
    let error = outcome.err().expect("a refusal");
    assert!(matches!(error, Error::NoJetStream { .. }), "{error:?}");
}
