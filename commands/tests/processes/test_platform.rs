//! What every test here needs: a log of its own, keys, a clock that stands still, an organisation with a device type.

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

/// Half past nine.
pub fn now() -> DateTime<Utc> {
    "2026-11-23T09:30:00Z".parse().unwrap()
}

/// The nth id of this kind.
pub fn id(kind: &str, n: u128) -> Uuid {
    derive(Uuid::from_u128(n), &[kind])
}

impl TestPlatform {
    /// A platform whose streams are declared, and nothing more.
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

    pub async fn new() -> Self {
        let (log, keys, commands) = Self::empty().await;
        let organization = found(&commands, "Acme", 1).await;
        let device_type = define_type(&commands, organization).await;
        Self { log, keys, commands, organization, device_type }
    }

    /// The circumstances of the nth command.
    pub fn context(&self, n: u128) -> CommandContext {
        context(self.organization, n)
    }

    /// A device with this serial number.
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

    pub async fn suspend(&self) {
        let command = OrganizationCommand::SuspendOrganization { reason: "unpaid".into() };
        let context = self.context(id("suspend", 0).as_u128());
        self.commands.execute::<Organization>(&context, self.organization.0, command).await.unwrap();
    }

    /// Messages of one aggregate in `ES`.
    pub async fn messages(&self, organization: OrganizationId, kind: &str, id: Uuid) -> Vec<Message> {
        event_store_backend::settled(&self.log).await;
        self.log.read_subject(Stream::Es, &format!("{organization}.{kind}.{id}"), 1).await.unwrap()
    }

    /// Every message in `ES`.
    pub async fn all_messages(&self) -> Vec<Message> {
        event_store_backend::settled(&self.log).await;
        let mut all = vec![];
        for sequence in 1..=self.log.last_sequence(Stream::Es).await.unwrap() {
            all.extend(self.log.get_message(Stream::Es, sequence).await.unwrap());
        }
        all
    }
}

/// Another process of the same platform.
pub async fn open(log: &Log, keys: &Keys) -> Commands {
    open_at(log, keys, now()).await
}

/// Another process, if its keys are the right ones.
pub async fn try_open(log: &Log, keys: &Keys) -> Result<Commands, commands::OpenError> {
    let event_store = event_store_backend::event_store(log).await;
    Commands::open_with(event_store, log.clone(), keys.clone(), Arc::new(now)).await
}

/// Another process whose clock stands at another time.
pub async fn open_at(log: &Log, keys: &Keys, at: DateTime<Utc>) -> Commands {
    let event_store = event_store_backend::event_store(log).await;
    Commands::open_with(event_store, log.clone(), keys.clone(), Arc::new(move || at)).await.unwrap()
}

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

pub async fn found(commands: &Commands, name: &str, n: u128) -> OrganizationId {
    let organization = OrganizationId(id("organization", n));
    let new = FoundOrganization { id: Some(organization), name: name.into() };
    commands.found_organization(&context(organization, n), new).await.unwrap().organization
}

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

/// A user with this address.
pub fn user(email: &str) -> NewUser {
    NewUser {
        email: email.into(),
        name: "Ada Lovelace".into(),
        password: "correct horse".into(),
        access_role: AccessRole::Operator,
        work_roles: vec!["technician".into()],
    }
}
