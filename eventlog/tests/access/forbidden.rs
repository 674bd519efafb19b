//! The server refuses everything that a role must not do.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use async_nats::{Client, ConnectOptions, Event, ServerError};
use eventlog::permissions::Role;
use eventlog::{BucketName, Log, Secrets, Stream};

use crate::secured_server::{PASSWORD, SecuredServer};

/// A raw connection that counts the server's permission violations.
struct Prober {
    client: Client,
    violations: Arc<AtomicUsize>,
}

impl Prober {
    async fn connect(server: &SecuredServer, role: Role) -> Prober {
        let violations = Arc::new(AtomicUsize::new(0));
        let counted = violations.clone();
        let options = ConnectOptions::with_user_and_password(role.user(), PASSWORD.to_owned())
            .add_root_certificates(server.ca("server"))
            .event_callback(move |event| {
                if let Event::ServerError(ServerError::Other(text)) = &event
                    && text.to_lowercase().contains("permissions violation")
                {
                    counted.fetch_add(1, Ordering::SeqCst);
                }
                std::future::ready(())
            });
        Prober { client: options.connect(&server.stack.urls().nats).await.unwrap(), violations }
    }

    /// Publishes, and asserts that the server reports a permission violation.
    async fn assert_refused(&self, subject: String) {
        let before = self.violations.load(Ordering::SeqCst);
        self.client.publish(subject.clone(), "{}".into()).await.unwrap();
        self.assert_counted(before, &subject).await;
    }

    async fn assert_counted(&self, before: usize, what: &str) {
        self.client.flush().await.unwrap();
        let deadline = Instant::now() + Duration::from_secs(5);
        while self.violations.load(Ordering::SeqCst) == before {
            assert!(Instant::now() < deadline, "{what} was not refused");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

/// Returns subjects that a role must not publish to: stream management, other roles' subjects, and what it does not
/// need.
fn forbidden(role: Role) -> Vec<String> {
    let streams = Stream::ALL.into_iter().map(|stream| stream.name().to_owned());
    let buckets = BucketName::ALL.into_iter().map(|bucket| format!("KV_{}", bucket.name()));
    let verbs = ["STREAM.CREATE", "STREAM.UPDATE", "STREAM.DELETE", "STREAM.PURGE", "STREAM.MSG.DELETE"];
    let mut subjects: Vec<_> = streams
        .chain(buckets)
        .flat_map(|name| verbs.map(|verb| format!("$JS.API.{verb}.{name}")))
        .chain(
            ["$JS.API.STREAM.CREATE.NEW", "$JS.API.STREAM.LEADER.STEPDOWN.ES", "$KV.platform.installation"]
                .map(Into::into),
        )
        .collect();
    let others: &[&str] = match role {
        Role::Api => &["telemetry.raw.v1.0", "presence.v1.3", "$KV.stage_state.x", "$KV.members.x"],
        Role::Ingest => &[
            "es.acme.device.1",
            "es_alarm.acme.alarm.1",
            "telemetry.normalized.v1.3.0",
            "telemetry.dlq.normalizer",
            "$KV.stage_state.x",
            "$KV.secrets.x",
            "$KV.bundles.x",
            "$JS.API.CONSUMER.CREATE.TELEMETRY_RAW",
        ],
        Role::Process => &[
            "es.acme.device.1",
            "es.acme.organization.1",
            "telemetry.raw.v1.0",
            "$KV.secrets.x",
            "$KV.bundles.x",
            "$KV.crls.x",
            "$KV.snapshots.acme.device.1",
        ],
        Role::Project => &["es.acme.device.1", "telemetry.normalized.v1.3.0", "presence.v1.3", "$KV.members.x"],
        Role::Migrate => &[],
    };
    subjects.extend(others.iter().map(|subject| (*subject).to_owned()));
    if role != Role::Api {
        let reading = ["$JS.API.STREAM.MSG.GET", "$JS.API.DIRECT.GET", "$JS.API.CONSUMER.CREATE"];
        subjects.extend(reading.map(|verb| format!("{verb}.KV_secrets")));
        subjects.extend(reading.map(|verb| format!("{verb}.KV_bundles")));
        subjects.push("$JS.API.DIRECT.GET.KV_secrets.$KV.secrets.hash".to_owned());
    }
    subjects
}

#[tokio::test(flavor = "multi_thread")]
async fn every_forbidden_operation_of_a_role_is_refused() {
    let server = SecuredServer::start().await;
    let migrate = server.log(Role::Migrate).await;
    migrate.declare_streams().await.unwrap();
    Secrets::open(&migrate, [7; 32]).await.unwrap().put("hash", b"secret").await.unwrap();
    let before = last_sequences(&migrate).await;
    for role in Role::ALL.into_iter().filter(|role| *role != Role::Migrate) {
        let prober = Prober::connect(&server, role).await;
        for subject in forbidden(role) {
            prober.assert_refused(subject).await;
        }
        for other in Role::ALL.into_iter().filter(|other| *other != role) {
            let refused = prober.violations.load(Ordering::SeqCst);
            let inbox = format!("_INBOX_{}.>", other.user());
            let _answers = prober.client.subscribe(inbox.clone()).await.unwrap();
            prober.assert_counted(refused, &inbox).await;
        }
    }
    assert_eq!(last_sequences(&migrate).await, before, "a refused operation had an effect");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_finds_no_streams_asks_to_migrate_and_creates_none() {
    let server = SecuredServer::start().await;
    let api = server.log(Role::Api).await;
    assert!(api.check_streams().await.unwrap_err().to_string().contains("run the migrations first"));
    assert!(server.log(Role::Migrate).await.check_streams().await.is_err(), "the check created streams");
}

async fn last_sequences(log: &Log) -> Vec<u64> {
    let mut lasts = Vec::new();
    for stream in Stream::ALL {
        lasts.push(log.last_sequence(stream).await.unwrap());
    }
    lasts
}
