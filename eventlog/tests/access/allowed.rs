//! Each role can do its work as its own NATS user.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use eventlog::lane::Pack;
use eventlog::permissions::Role;
use eventlog::{
    BucketName, Headers, Lane, LaneSettings, Log, Membership, Positions, Publisher, PublisherSettings, Secrets, Source,
    Stream, follow,
};
use tokio_util::sync::CancellationToken;

use crate::secured_server::SecuredServer;

const TIMEOUT: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn each_role_can_do_its_work_as_its_own_user() {
    let server = SecuredServer::start().await;
    let migrate = server.log(Role::Migrate).await;
    migrate.declare_streams().await.unwrap();
    assert_eq!(migrate.ensure_installation("one").await.unwrap(), "one");
    assert_eq!(migrate.ensure_installation("two").await.unwrap(), "one");
    for role in Role::ALL {
        let log = server.log(role).await;
        log.check_streams().await.unwrap();
        assert_eq!(log.installation().await.unwrap().as_deref(), Some("one"), "{role:?}");
    }
    migrate_writes(&migrate).await;
    api(&server.log(Role::Api).await).await;
    ingest(&server.log(Role::Ingest).await).await;
    process(&server.log(Role::Process).await).await;
    project(&server.log(Role::Project).await).await;
}

async fn publish(log: &Log, stream: Stream, tail: &str) {
    let settings = PublisherSettings { deadline: TIMEOUT, ..PublisherSettings::default() };
    let sent = Publisher::new(log, settings).publish(stream, tail, Headers::new(), Bytes::from("x")).await;
    sent.unwrap_or_else(|error| panic!("{stream} {tail}: {error:?}"));
}

async fn reads(log: &Log, sources: Vec<Source>) {
    let shutdown = CancellationToken::new();
    let follower = follow(log, sources, Positions::new(), |_| {}, shutdown.clone()).await;
    follower.caught_up(TIMEOUT).await.unwrap();
    shutdown.cancel();
}

async fn migrate_writes(log: &Log) {
    publish(log, Stream::Es, "acme.organization.1").await;
    Secrets::open(log, [7; 32]).await.unwrap().put("hash", b"secret").await.unwrap();
    log.bucket(BucketName::Snapshots).await.unwrap().put("acme.organization.1", "{}".into()).await.unwrap();
}

async fn api(log: &Log) {
    for (stream, tail) in [(Stream::Es, "acme.device.1"), (Stream::EsAlarm, "acme.alarm.1")] {
        publish(log, stream, tail).await;
        assert!(log.last_message(stream, tail).await.unwrap().is_some());
        assert_eq!(log.read_subject(stream, tail, 1).await.unwrap().len(), 1);
        assert!(log.next_message(stream, tail, 1).await.unwrap().is_some());
    }
    let secrets = Secrets::open(log, [7; 32]).await.unwrap();
    assert_eq!(secrets.get("hash").await.unwrap().as_deref(), Some(b"secret".as_slice()));
    secrets.delete("hash").await.unwrap();
    let sessions = log.bucket(BucketName::Sessions).await.unwrap();
    let revision = sessions.put("ada.1", "first".into()).await.unwrap();
    sessions.update("ada.1", "second".into(), revision).await.unwrap();
    sessions.delete("ada.1").await.unwrap();
    let snapshots = log.bucket(BucketName::Snapshots).await.unwrap();
    log.bucket(BucketName::Requests).await.unwrap().create("a-request", "mark".into()).await.unwrap();
    let bundles = Secrets::in_bucket(log, [7; 32], BucketName::Bundles).await.unwrap();
    bundles.put("token", b"bundle").await.unwrap();
    assert_eq!(bundles.take("token").await.unwrap().as_deref(), Some(b"bundle".as_slice()));
    log.bucket(BucketName::Crls).await.unwrap().create("acme", "{}".into()).await.unwrap();
    snapshots.put("acme.device.1", "{}".into()).await.unwrap();
    assert!(snapshots.get_from_any_replica("acme.device.1").await.unwrap().is_some());
    let live = [Stream::TelemetryNormalized, Stream::TelemetryAsset, Stream::EventsThreshold, Stream::Presence];
    reads(log, live.into_iter().chain(Stream::DOMAIN).map(Source::all).collect()).await;
    log.ping().await.unwrap();
    for stream in Stream::ALL {
        log.state(stream).await.unwrap();
    }
}

async fn ingest(log: &Log) {
    for (stream, tail) in [(Stream::TelemetryRaw, "0"), (Stream::TelemetryDlq, "ingest"), (Stream::Presence, "3")] {
        let stored = Arc::new(Mutex::new(Vec::new()));
        let outcomes = stored.clone();
        let pack = |_: &[u32]| Pack { headers: Headers::new(), payload: "x".into() };
        let done = move |_, outcome: Result<u64, _>| outcomes.lock().unwrap().push(outcome.is_ok());
        let lane = Lane::start(log, stream, tail, LaneSettings::default(), pack, done);
        lane.push(1_u32, 1).await.unwrap();
        lane.close().await;
        assert_eq!(*stored.lock().unwrap(), [true], "{stream}");
    }
    reads(log, vec![Source::all(Stream::Es), Source::all(Stream::Presence)]).await;
    let member = Membership::join(log, "edge-1", &["edge"], CancellationToken::new()).await.unwrap();
    assert!(member.members().borrow().contains_key("edge-1"));
    member.leave().await;
}

async fn process(log: &Log) {
    let outputs = [
        (Stream::TelemetryNormalized, "3.0"),
        (Stream::TelemetryAsset, "3.0"),
        (Stream::EventsThreshold, "3.0"),
        (Stream::ActivitiesCreated, "3.0"),
        (Stream::TelemetryDlq, "normalizer"),
        (Stream::EsAlarm, "acme.alarm.2"),
        (Stream::EsActivity, "acme.activity.2"),
        (Stream::Es, "acme.certificate.2"),
    ];
    for (stream, tail) in outputs {
        publish(log, stream, tail).await;
    }
    let packs = Source::filtered(Stream::TelemetryNormalized, ["3.*", "4.*"]);
    reads(log, vec![Source::all(Stream::Es), Source::all(Stream::TelemetryRaw), packs]).await;
    let state = log.bucket(BucketName::StageState).await.unwrap();
    let revision = state.create("normalizer.3", "1".into()).await.unwrap();
    state.update("normalizer.3", "2".into(), revision).await.unwrap();
    let snapshots = log.bucket(BucketName::Snapshots).await.unwrap();
    snapshots.put("acme.alarm.2", "{}".into()).await.unwrap();
    snapshots.put("acme.certificate.2", "{}".into()).await.unwrap();
    Membership::join(log, "process-1", &["normalizer"], CancellationToken::new()).await.unwrap().leave().await;
}

async fn project(log: &Log) {
    let streams = [
        Stream::TelemetryNormalized,
        Stream::TelemetryAsset,
        Stream::EventsThreshold,
        Stream::Presence,
        Stream::TelemetryDlq,
    ];
    reads(log, streams.into_iter().chain(Stream::DOMAIN).map(Source::all).collect()).await;
    publish(log, Stream::TelemetryDlq, "device_directory").await;
}
