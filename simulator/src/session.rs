//! One MQTT session of one device: connects, writes packets and reads acknowledgements.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

use crate::mqtt;
use crate::tls::Connector;

/// Timeout of the TLS handshake with CONNECT and CONNACK.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// The keep-alive interval that CONNECT announces, in seconds; pings are sent at half of it.
pub const KEEP_ALIVE_SECONDS: u16 = 30;

/// An open session.
pub struct Session {
    stream: TlsStream<TcpStream>,
    buffer: Vec<u8>,
    filled: usize,
}

impl Session {
    /// Connects; returns an error if the CONNACK refuses the device.
    pub async fn open(connector: &Connector, address: &str, client_id: &str) -> anyhow::Result<Self> {
        timeout(CONNECT_TIMEOUT, Self::handshake(connector, address, client_id)).await.context("connect timed out")?
    }

    async fn handshake(connector: &Connector, address: &str, client_id: &str) -> anyhow::Result<Self> {
        let mut stream = connector.connect(address).await?;
        stream.write_all(&mqtt::connect(client_id, KEEP_ALIVE_SECONDS)).await?;
        stream.flush().await?;
        let mut session = Self { stream, buffer: vec![0; 512], filled: 0 };
        loop {
            session.fill().await?;
            if let Some(found) = mqtt::frame(&session.buffer[..session.filled]) {
                ensure!(found.kind() == 2 && found.end - found.body >= 2, "the first packet is not a CONNACK");
                let code = session.buffer[found.body + 1];
                ensure!(code == mqtt::CONNACK_ACCEPTED, "CONNACK refused with code {code}");
                session.consume(found.end);
                return Ok(session);
            }
        }
    }

    /// Writes complete packets.
    pub async fn write(&mut self, packets: &[u8]) -> anyhow::Result<()> {
        self.stream.write_all(packets).await?;
        Ok(self.stream.flush().await?)
    }

    /// Waits for data and passes the id of each PUBACK to `acknowledged`. Cancel-safe.
    pub async fn read(&mut self, mut acknowledged: impl FnMut(u16)) -> anyhow::Result<()> {
        self.fill().await?;
        let mut at = 0;
        while let Some(found) = mqtt::frame(&self.buffer[at..self.filled]) {
            if found.kind() == 4 && found.end - found.body >= 2 {
                let id = &self.buffer[at + found.body..at + found.body + 2];
                acknowledged(u16::from_be_bytes([id[0], id[1]]));
            }
            at += found.end;
        }
        self.consume(at);
        Ok(())
    }

    /// Drops the connection without DISCONNECT, as a broken line does.
    pub fn break_off(self) {
        drop(self.stream);
    }

    /// Sends DISCONNECT and closes the connection.
    pub async fn close(mut self) {
        // The server may be gone already; there is nothing left to lose.
        let _ = self.write(&mqtt::DISCONNECT).await;
        let _ = self.stream.shutdown().await;
    }

    async fn fill(&mut self) -> anyhow::Result<()> {
        if self.filled == self.buffer.len() {
            bail!("the server sent a packet larger than the read buffer");
        }
        let read = self.stream.read(&mut self.buffer[self.filled..]).await?;
        ensure!(read > 0, "the server closed the connection");
        self.filled += read;
        Ok(())
    }

    fn consume(&mut self, bytes: usize) {
        self.buffer.copy_within(bytes..self.filled, 0);
        self.filled -= bytes;
    }
}
