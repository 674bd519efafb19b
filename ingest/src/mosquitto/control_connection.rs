//! A connection to the control topic of mosquitto's dynamic security plugin, which carries commands and their
//! responses.

use std::time::Duration;

use rumqttc::mqttbytes::v4::{Packet, SubscribeReasonCode};
use rumqttc::{AsyncClient, ClientError, ConnectionError, Event, EventLoop, MqttOptions, QoS};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::timeout;

/// Topics of commands and responses (from the plugin's documentation).
const COMMAND_TOPIC: &str = "$CONTROL/dynamic-security/v1";
const RESPONSE_TOPIC: &str = "$CONTROL/dynamic-security/v1/response";
/// Timeout of one batch of commands.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Capacity of the client's request queue; only one request is in flight.
const REQUESTS: usize = 4;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the connection to the broker failed")]
    Connection(#[from] Box<ConnectionError>),
    #[error("failed to send a command to the broker")]
    Request(#[from] Box<ClientError>),
    #[error(
        "the broker refuses the subscription to {RESPONSE_TOPIC}; is bridge.dynamic_security.user an administrator of the plugin?"
    )]
    Refused,
    #[error("timed out waiting for the broker; is its dynamic security plugin loaded?")]
    Timeout,
    #[error("failed to parse the plugin's response")]
    Response(#[from] serde_json::Error),
    #[error("the plugin rejected {command}: {error}")]
    Command { command: String, error: String },
}

/// The plugin's response to one command.
#[derive(Debug, Deserialize)]
pub struct Response {
    command: String,
    error: Option<String>,
    #[serde(default)]
    data: Value,
}

#[derive(Deserialize)]
struct Responses {
    responses: Vec<Response>,
}

/// A connection to the plugin.
pub struct ControlConnection {
    client: AsyncClient,
    events: EventLoop,
}

impl ControlConnection {
    /// Connects and subscribes to the responses.
    pub async fn open(options: MqttOptions) -> Result<Self, Error> {
        let (client, events) = AsyncClient::new(options, REQUESTS);
        let mut control = Self { client, events };
        control.client.try_subscribe(RESPONSE_TOPIC, QoS::AtLeastOnce).map_err(Box::new)?;
        timeout(TIMEOUT, control.subscribed()).await.unwrap_or(Err(Error::Timeout))?;
        Ok(control)
    }

    /// Executes idempotent commands: "already exists" and "not found" count as success.
    pub async fn apply(&mut self, commands: &[Value]) -> Result<(), Error> {
        for Response { command, error, .. } in self.request(commands).await? {
            match error {
                Some(error) if !error.contains("already exists") && !error.contains("not found") => {
                    return Err(Error::Command { command, error });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Executes one command and returns its data.
    pub async fn query(&mut self, command: Value) -> Result<Value, Error> {
        match self.request(&[command]).await?.pop() {
            Some(Response { error: None, data, .. }) => Ok(data),
            Some(Response { command, error: Some(error), .. }) => Err(Error::Command { command, error }),
            None => Err(Error::Timeout),
        }
    }

    /// Keeps the connection alive; returns when it fails.
    pub async fn idle(&mut self) -> Error {
        loop {
            if let Err(failure) = self.events.poll().await {
                return Box::new(failure).into();
            }
        }
    }

    async fn request(&mut self, commands: &[Value]) -> Result<Vec<Response>, Error> {
        let request = json!({"commands": commands}).to_string();
        self.client.try_publish(COMMAND_TOPIC, QoS::AtLeastOnce, false, request).map_err(Box::new)?;
        timeout(TIMEOUT, self.responses()).await.unwrap_or(Err(Error::Timeout))
    }

    async fn responses(&mut self) -> Result<Vec<Response>, Error> {
        loop {
            if let Packet::Publish(publish) = self.packet().await?
                && publish.topic == RESPONSE_TOPIC
            {
                return Ok(serde_json::from_slice::<Responses>(&publish.payload)?.responses);
            }
        }
    }

    async fn subscribed(&mut self) -> Result<(), Error> {
        loop {
            if let Packet::SubAck(answer) = self.packet().await? {
                let taken = matches!(answer.return_codes[..], [SubscribeReasonCode::Success(_)]);
                return if taken { Ok(()) } else { Err(Error::Refused) };
            }
        }
    }

    async fn packet(&mut self) -> Result<Packet, Error> {
        loop {
            if let Event::Incoming(packet) = self.events.poll().await.map_err(Box::new)? {
                return Ok(packet);
            }
        }
    }
}
