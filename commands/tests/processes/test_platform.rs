//! A platform for each test: its own log, keys, a fixed clock, and an organisation with a device type.

use std::sync::Arc;

use certs::{MasterKey, RootAuthority};
use chrono::{DateTime, Utc};
use commands::{CommandContext, Commands, FoundOrganization, Keys, NewDevice, NewUser};
use domain::device_type::{DeviceType, DeviceTypeCommand, UnknownMetrics};
use domain::ids::{DeviceTypeId, OrganizationId, UserId, derive};
use domain::metadata::Actor;
use domain::organization::{Organization, OrganizationCommand};
use domain::user::AccessRole;
use eventlog::{Log, Message, Settings, Stream, StreamSizes};
use serde_json::json;
use uuid::Uuid;

use crate::event_store_backend;

/// A platform with one organisation and one device type.
pub struct TestPlatform {
    pub log: Log,
    pub keys: Keys,
    pub commands: Commands,
    pub organization: OrganizationId,
    pub device_type: DeviceTypeId,
}

/// The fixed time of the tests' clock.
pub fn now() -> DateTime<Utc> {
    "2026-11-23T09:30:00Z".parse().unwrap()
}

/// Returns the nth id of a kind, the same one on every call.
pub fn id(kind: &str, n: u128) -> Uuid {
    derive(Uuid::from_u128(n), &[kind])
}

impl TestPlatform {
    /// Returns a platform with its streams declared and no organisation.
    pub async fn empty() -> (Log, Keys, Commands) {
        let space = stack::testing::space().await;
        event_store_backend::prepare(&space).await;
        let settings = Settings::new(&space.nats).with_prefix(&space.stream_prefix).with_sizes(StreamSizes::small());
        let log = Log::connect(settings).await.unwrap();
        log.declare_streams().await.unwrap();
        let keys = Keys::new(MasterKey::generate().unwrap(), RootAuthority::create("Test root CA", now()).unwrap());
        let commands = open(&log, &keys).await;
        (log, keys, commands)
    }

    /// Returns a platform with the organisation "Acme" and the device type "Probe".
    pub async fn new() -> Self {
        let (log, keys, commands) = Self::empty().await;
        let organization = found(&commands, "Acme", 1).await;
        let device_type = define_type(&commands, organization).await;
        Self { log, keys, commands, organization, device_type }
    }

    /// Returns the context of the organisation's nth command.
    pub fn context(&self, n: u128) -> CommandContext {
        context(self.organization, n)
    }

    /// Returns a device to register, with a certificate valid for 30 days.
    pub fn device(&self, serial_number: &str) -> NewDevice {
        NewDevice {
            name: "Probe".into(),
            description: None,
            serial_number: serial_number.into(),
            device_type_id: self.device_type,
            custom_attributes: json!({}),
            certificate_validity_days: 30,
        }
    }

    /// Suspends the organisation.
    pub async fn suspend(&self) {
        let command = OrganizationCommand::SuspendOrganization { reason: "unpaid".into() };
        let context = self.context(id("suspend", 0).as_u128());
        self.commands.execute::<Organization>(&context, self.organization.0, command).await.unwrap();
    }

    /// Reads the messages of one aggregate from the `ES` stream.
    pub async fn messages(&self, organization: OrganizationId, kind: &str, id: Uuid) -> Vec<Message> {
        event_store_backend::settled(&self.log).await;
        self.log.read_subject(Stream::Es, &format!("{organization}.{kind}.{id}"), 1).await.unwrap()
    }

    /// Reads every message of the `ES` stream.
    pub async fn all_messages(&self) -> Vec<Message> {
        event_store_backend::settled(&self.log).await;
        let mut all = vec![];
        for sequence in 1..=self.log.last_sequence(Stream::Es).await.unwrap() {
            all.extend(self.log.get_message(Stream::Es, sequence).await.unwrap());
        }
        all
    }
}

/// Opens the platform as another process would.
pub async fn open(log: &Log, keys: &Keys) -> Commands {
    open_at(log, keys, now()).await
}

/// Opens the platform as another process would; errors if the keys do not match.
pub async fn try_open(log: &Log, keys: &Keys) -> Result<Commands, commands::OpenError> {
    let event_store = event_store_backend::event_store(log).await;
    Commands::open_with(event_store, log.clone(), keys.clone(), Arc::new(now)).await
}

/// Opens the platform as another process would, with the clock fixed at `at`.
pub async fn open_at(log: &Log, keys: &Keys, at: DateTime<Utc>) -> Commands {
    let event_store = event_store_backend::event_store(log).await;
    Commands::open_with(event_store, log.clone(), keys.clone(), Arc::new(move || at)).await.unwrap()
}

/// Returns the context of an organisation's nth command.
pub fn context(organization: OrganizationId, n: u128) -> CommandContext {
    let command_id = id("command", n);
    CommandContext {
        actor: Actor::User(UserId(id("actor", 0))),
        organization,
        command_id,
        correlation_id: command_id,
        causation_id: None,
        traceparent: None,
    }
}

/// Founds the nth organisation.
pub async fn found(commands: &Commands, name: &str, n: u128) -> OrganizationId {
    let organization = OrganizationId(id("organization", n));
    let new = FoundOrganization { id: Some(organization), name: name.into() };
    commands.found_organization(&context(organization, n), new).await.unwrap().organization
}

/// Defines the device type "Probe" in an organisation.
pub async fn define_type(commands: &Commands, organization: OrganizationId) -> DeviceTypeId {
    let device_type = DeviceTypeId(id("device type", 0));
    let command = DeviceTypeCommand::DefineDeviceType {
        name: "Probe".into(),
        description: None,
        metrics: vec![],
        unknown_metrics: UnknownMetrics::Keep,
    };
    let context = context(organization, id("define type", 0).as_u128());
    commands.execute::<DeviceType>(&context, device_type.0, command).await.unwrap();
    device_type
}

/// Returns a user to register, with the password "correct horse".
pub fn user(email: &str) -> NewUser {
    NewUser {
        email: email.into(),
        name: "Ada Lovelace".into(),
        password: "correct horse".into(),
        access_role: AccessRole::Operator,
        work_roles: vec!["technician".into()],
    }
}
