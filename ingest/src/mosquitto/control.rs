//! A connection to the control topic of mosquitto's dynamic security plugin: commands out, answers in. What is asked is
//! not known here.

use std::time::Duration;

use rumqttc::mqttbytes::v4::{Packet, SubscribeReasonCode};
use rumqttc::{AsyncClient, ClientError, ConnectionError, Event, EventLoop, MqttOptions, QoS};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::timeout;

/// Where commands go, and where their answers come (the plugin's documentation).
const COMMANDS: &str = "$CONTROL/dynamic-security/v1";
const ANSWERS: &str = "$CONTROL/dynamic-security/v1/response";
/// How long the broker may take for one batch.
const WITHIN: Duration = Duration::from_secs(10);
/// Requests that may wait to be sent: one at a time is asked.
const REQUESTS: usize = 4;

/// Why the broker cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the connection to the broker failed")]
    Connection(#[from] Box<ConnectionError>),
    #[error("the broker takes no commands")]
    Request(#[from] Box<ClientError>),
    #[error("the broker refuses {ANSWERS}: is bridge.dynamic_security.user an administrator of the plugin?")]
    Refused,
    #[error("the broker does not answer in time; is its dynamic security plugin loaded?")]
    Late,
    #[error("the plugin's answer cannot be read")]
    Answer(#[from] serde_json::Error),
    #[error("the plugin refuses {command}: {error}")]
    Command { command: String, error: String },
}

/// The plugin's answer to one command.
#[derive(Debug, Deserialize)]
pub struct Answer {
    command: String,
    error: Option<String>,
    #[serde(default)]
    data: Value,
}

#[derive(Deserialize)]
struct Answers {
    responses: Vec<Answer>,
}

/// A connection.
pub struct Control {
    client: AsyncClient,
    events: EventLoop,
}

impl Control {
    /// Connects and makes ready for answers.
    pub async fn open(options: MqttOptions) -> Result<Self, Error> {
        let (client, events) = AsyncClient::new(options, REQUESTS);
        let mut control = Self { client, events };
        control.client.try_subscribe(ANSWERS, QoS::AtLeastOnce).map_err(Box::new)?;
        timeout(WITHIN, control.subscribed()).await.unwrap_or(Err(Error::Late))?;
        Ok(control)
    }

    /// Gives commands that may find done already what they ask for: that something exists, or no longer does.
    pub async fn settle(&mut self, commands: &[Value]) -> Result<(), Error> {
        for Answer { command, error, .. } in self.ask(commands).await? {
            match error {
                Some(error) if !error.contains("already exists") && !error.contains("not found") => {
                    return Err(Error::Command { command, error });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Asks for one thing; answers its data.
    pub async fn query(&mut self, command: Value) -> Result<Value, Error> {
        match self.ask(&[command]).await?.pop() {
            Some(Answer { error: None, data, .. }) => Ok(data),
            Some(Answer { command, error: Some(error), .. }) => Err(Error::Command { command, error }),
            None => Err(Error::Late),
        }
    }

    /// Keeps the connection alive while there is nothing to say; returns when it fails.
    pub async fn idle(&mut self) -> Error {
        loop {
            if let Err(failure) = self.events.poll().await {
                return Box::new(failure).into();
            }
        }
    }

    async fn ask(&mut self, commands: &[Value]) -> Result<Vec<Answer>, Error> {
        let request = json!({"commands": commands}).to_string();
        self.client.try_publish(COMMANDS, QoS::AtLeastOnce, false, request).map_err(Box::new)?;
        timeout(WITHIN, self.answers()).await.unwrap_or(Err(Error::Late))
    }

    async fn answers(&mut self) -> Result<Vec<Answer>, Error> {
        loop {
            if let Packet::Publish(publish) = self.packet().await?
                && publish.topic == ANSWERS
            {
                return Ok(serde_json::from_slice::<Answers>(&publish.payload)?.responses);
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
