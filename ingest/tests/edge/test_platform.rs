//! A platform for one test: its log, its PKI, events to append, and doors to open.

use std::collections::HashMap;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use certs::{Authority, DeviceToken, IssuedDevice, IssuedServer, RootAuthority, ServerNames};
use chrono::{DateTime, Utc};
use cqrs_es::DomainEvent;
use domain::certificate::{CertificateEvent, RevocationCode};
use domain::device::DeviceEvent;
use domain::ids::{DeviceId, DeviceTokenId, DeviceTypeId};
use domain::organization::OrganizationEvent;
use domain::telemetry::{DeadLetter, PresenceFact, PresenceKind, RawPack, RawReading, decode_pack};
use eventlog::envelope::encode;
use eventlog::{Envelope, Headers, Log, Publisher, PublisherSettings, Settings, Stream, StreamSizes};
use ingest::{Config, Deps, EdgePki, Listen};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How long a test waits for something that must happen.
pub const TIMEOUT: Duration = Duration::from_secs(60);

#[allow(clippy::disallowed_methods, reason = "tests are a rim")]
pub fn now() -> DateTime<Utc> {
    Utc::now()
}

#[allow(clippy::disallowed_methods, reason = "tests are a rim")]
pub fn new_id() -> Uuid {
    Uuid::new_v4()
}

/// An organisation with its CA.
pub struct Organization {
    pub id: Uuid,
    pub authority: Authority,
}

/// A device with its certificate.
pub struct Device {
    pub organization: Uuid,
    pub id: Uuid,
    pub certificate_id: Uuid,
    pub issued: IssuedDevice,
}

impl Device {
    pub fn topic(&self) -> String {
        format!("v1/telemetry/{}/{}", self.organization, self.id)
    }
}

pub struct TestPlatform {
    pub log: Log,
    pub root: RootAuthority,
    pub organization: Organization,
    server: IssuedServer,
    publisher: Publisher,
}

impl TestPlatform {
    /// Creates a platform on the shared servers.
    pub async fn new() -> TestPlatform {
        let space = stack::testing::space().await;
        Self::on(&space.nats, &space.stream_prefix).await
    }

    /// Creates a platform on one server.
    pub async fn on(nats: &str, prefix: &str) -> TestPlatform {
        let settings = Settings::new(nats).with_prefix(prefix).with_sizes(StreamSizes::small());
        let log = Log::connect(settings).await.unwrap();
        log.declare_streams().await.unwrap();
        let root = RootAuthority::create("Test", now()).unwrap();
        let server = root.issue_server_certificate(&ServerNames::parse(["localhost"]).unwrap(), 30, now()).unwrap();
        let publisher = Publisher::new(&log, PublisherSettings::default());
        let id = new_id();
        let organization = Organization { id, authority: root.issue_organization_authority(id, now()).unwrap() };
        let platform = TestPlatform { log, root, organization, server, publisher };
        platform.found_organization(&platform.organization).await;
        platform
    }

    pub async fn found_organization(&self, organization: &Organization) {
        self.append_event(organization.id, "organization", organization.id, 1, &organization_founded()).await;
        let recorded = OrganizationEvent::CertificateAuthorityRecorded {
            certificate_pem: organization.authority.certificate_pem().to_owned(),
            subject_key_id: organization.authority.key_id(),
            not_after: organization.authority.not_after(),
        };
        self.append_event(organization.id, "organization", organization.id, 2, &recorded).await;
    }

    /// Founds a second organisation.
    pub async fn other_organization(&self) -> Organization {
        let id = new_id();
        let other = Organization { id, authority: self.root.issue_organization_authority(id, now()).unwrap() };
        self.found_organization(&other).await;
        other
    }

    /// Creates a registered device with a certificate valid for a month.
    pub async fn device(&self) -> Device {
        let device = self.unregistered(30, now());
        self.register(&device).await;
        self.record_certificate(&device).await;
        device
    }

    /// Creates a device with a certificate issued at a time, unknown to the log.
    pub fn unregistered(&self, days: u32, at: DateTime<Utc>) -> Device {
        let id = new_id();
        let issued = self.organization.authority.issue_device(id, days, at).unwrap();
        Device { organization: self.organization.id, id, certificate_id: new_id(), issued }
    }

    pub async fn register(&self, device: &Device) {
        let event = DeviceEvent::DeviceRegistered {
            name: "pump".into(),
            description: None,
            serial_number: device.id.to_string(),
            device_type_id: DeviceTypeId(Uuid::from_u128(5)),
            custom_attributes: serde_json::json!({}),
        };
        self.append_event(device.organization, "device", device.id, 1, &event).await;
    }

    pub async fn record_certificate(&self, device: &Device) {
        let event = CertificateEvent::CertificateIssued {
            device_id: DeviceId(device.id),
            serial_number: device.issued.serial.to_string(),
            certificate_pem: device.issued.certificate_pem.clone(),
            fingerprint_sha256: device.issued.fingerprint_sha256.clone(),
            not_before: device.issued.not_before,
            not_after: device.issued.not_after,
        };
        self.append_event(device.organization, "certificate", device.certificate_id, 1, &event).await;
    }

    pub async fn revoke(&self, device: &Device) {
        let event =
            CertificateEvent::CertificateRevoked { reason: "stolen".into(), code: RevocationCode::KeyCompromise };
        self.append_event(device.organization, "certificate", device.certificate_id, 2, &event).await;
    }

    pub async fn decommission(&self, device: &Device) {
        let event = DeviceEvent::DeviceDecommissioned { reason: "scrapped".into() };
        self.append_event(device.organization, "device", device.id, 2, &event).await;
    }

    pub async fn suspend(&self) {
        let event = OrganizationEvent::OrganizationSuspended { reason: "unpaid".into() };
        self.append_event(self.organization.id, "organization", self.organization.id, 3, &event).await;
    }

    /// Issues a token valid for so many minutes, as the event with this version; returns its id and text.
    pub async fn issue_token(&self, device: &Device, version: u64, minutes: i64) -> (Uuid, String) {
        let (token, id) = (DeviceToken::random().unwrap(), new_id());
        let event = DeviceEvent::DeviceTokenIssued {
            token_id: DeviceTokenId(id),
            label: None,
            digest: token.digest(),
            expires_at: now() + chrono::TimeDelta::minutes(minutes),
        };
        self.append_device_event(device, version, &event).await;
        (id, token.expose().to_owned())
    }

    pub async fn append_device_event(&self, device: &Device, version: u64, event: &DeviceEvent) {
        self.append_event(device.organization, "device", device.id, version, event).await;
    }

    pub async fn revoke_token(&self, device: &Device, version: u64, token: Uuid) {
        let event = DeviceEvent::DeviceTokenRevoked { token_id: DeviceTokenId(token), reason: "lost".into() };
        self.append_device_event(device, version, &event).await;
    }

    pub async fn appoint_gateway(&self, device: &Device, version: u64) {
        self.append_device_event(device, version, &DeviceEvent::GatewayAppointed {}).await;
    }

    pub async fn dismiss_gateway(&self, device: &Device, version: u64) {
        self.append_device_event(device, version, &DeviceEvent::GatewayDismissed {}).await;
    }

    async fn append_event<E: DomainEvent>(&self, organization: Uuid, kind: &str, id: Uuid, version: u64, event: &E) {
        let envelope = Envelope::of(event, new_id(), version, HashMap::new()).unwrap();
        let payload = encode(&[envelope]).unwrap();
        let tail = format!("{organization}.{kind}.{id}");
        self.publisher.publish(Stream::Es, &tail, Headers::new(), payload).await.unwrap();
    }

    /// Opens a door with default settings.
    pub async fn door(&self) -> Door {
        self.door_with(|_| {}).await
    }

    /// Opens a door with changed settings.
    pub async fn door_with(&self, change: impl FnOnce(&mut Config)) -> Door {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut config = Config::edge(Listen::Socket(listener), "edge-1");
        change(&mut config);
        let deps = Deps { log: self.log.clone(), pki: self.pki(), clock: Arc::new(now) };
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(ingest::run(deps, config, shutdown.clone()));
        Door { address, root_pem: self.root.certificate_pem().to_owned(), shutdown, task }
    }

    /// Opens a door that can be crashed.
    pub fn crashable_door(&self, instance: &str) -> CrashableDoor {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (settings, pki, instance) = (self.log.settings().clone(), self.pki(), instance.to_owned());
        let shutdown = CancellationToken::new();
        let closing = shutdown.clone();
        let task = runtime.spawn(async move {
            let listener = TcpListener::from_std(listener).unwrap();
            let log = Log::connect(settings).await.unwrap();
            let deps = Deps { log, pki, clock: Arc::new(now) };
            ingest::run(deps, Config::edge(Listen::Socket(listener), instance), closing).await
        });
        let root_pem = self.root.certificate_pem().to_owned();
        CrashableDoor { door: Door { address, root_pem, shutdown, task }, runtime }
    }

    pub fn pki(&self) -> EdgePki {
        EdgePki {
            root_certificate_pem: self.root.certificate_pem().to_owned(),
            server_certificate_pem: self.server.certificate_pem.clone(),
            server_private_key_pem: self.server.private_key_pem.clone(),
        }
    }

    /// Returns all raw readings in log order.
    pub async fn raw(&self) -> Vec<RawReading> {
        let messages = self.log.read_subject(Stream::TelemetryRaw, "*", 1).await.unwrap();
        messages.iter().flat_map(|message| decode_pack::<RawPack>(&message.payload).unwrap().readings).collect()
    }

    /// Returns the payloads of all raw readings as text.
    pub async fn raw_payloads(&self) -> Vec<String> {
        self.raw().await.iter().map(|reading| String::from_utf8(reading.payload.to_vec()).unwrap()).collect()
    }

    pub async fn dead_letters(&self) -> Vec<DeadLetter> {
        let messages = self.log.read_subject(Stream::TelemetryDlq, "ingest", 1).await.unwrap();
        messages.iter().flat_map(|m| serde_json::from_slice::<Vec<DeadLetter>>(&m.payload).unwrap()).collect()
    }

    /// Returns all presence facts in log order.
    pub async fn presence(&self) -> Vec<PresenceFact> {
        let messages = self.log.read_subject(Stream::Presence, "*", 1).await.unwrap();
        messages.iter().flat_map(|m| serde_json::from_slice::<Vec<PresenceFact>>(&m.payload).unwrap()).collect()
    }

    /// Returns kind and reason of a device's presence facts.
    pub async fn presence_of(&self, device: &Device) -> Vec<(PresenceKind, Option<String>)> {
        let facts = self.presence().await.into_iter();
        facts.filter(|fact| fact.device == Some(DeviceId(device.id))).map(|fact| (fact.kind, fact.reason)).collect()
    }

    /// Returns kind and edge of all facts in a device's partition.
    pub async fn partition_presence(&self, device: &Device) -> Vec<(PresenceKind, String)> {
        let partition = eventlog::partition_of(device.id).to_string();
        let messages = self.log.read_subject(Stream::Presence, &partition, 1).await.unwrap();
        let facts = messages.iter().flat_map(|m| serde_json::from_slice::<Vec<PresenceFact>>(&m.payload).unwrap());
        facts.map(|fact| (fact.kind, fact.edge)).collect()
    }

    /// Waits for a presence fact of a device.
    pub async fn wait_for_presence(&self, device: &Device, kind: PresenceKind, reason: Option<&str>) {
        let expected = (kind, reason.map(str::to_owned));
        eventually("a presence fact", || async { self.presence_of(device).await.contains(&expected).then_some(()) })
            .await;
    }

    /// Waits for a dead letter with this reason.
    pub async fn dead_letter(&self, reason: &str) -> DeadLetter {
        eventually(reason, || async { self.dead_letters().await.into_iter().find(|letter| letter.reason == reason) })
            .await
    }
}

/// An open door.
pub struct Door {
    pub address: SocketAddr,
    pub root_pem: String,
    shutdown: CancellationToken,
    task: JoinHandle<Result<(), ingest::Error>>,
}

impl Door {
    /// Closes the door and waits for it.
    pub async fn close(self) {
        self.shutdown.cancel();
        self.task.await.unwrap().unwrap();
    }

    /// Waits for the door to fail and returns its error.
    pub async fn failed(self) -> ingest::Error {
        self.task.await.unwrap().expect_err("a failure")
    }
}

/// A door in its own runtime, which can be dropped like a crashed process.
pub struct CrashableDoor {
    pub door: Door,
    runtime: tokio::runtime::Runtime,
}

impl CrashableDoor {
    /// Drops the door at once, as a crash of its process would.
    pub fn crash(self) {
        self.runtime.shutdown_background();
    }
}

fn organization_founded() -> OrganizationEvent {
    OrganizationEvent::OrganizationFounded { name: "Test".into() }
}

/// Polls until `poll` returns a value.
pub async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, mut poll: impl FnMut() -> F) -> T {
    let deadline = Instant::now() + TIMEOUT;
    loop {
        if let Some(answer) = poll().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "{what} did not append_event within {TIMEOUT:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
