//! A device as plain as possible: a TLS socket and packets, so that a test sees every octet.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use rumqttc::mqttbytes::v4;
use rumqttc::v5::mqttbytes::v5;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use uuid::Uuid;

use super::world::{Device, Door, PATIENCE};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    V3,
    V5,
}

pub const BOTH: [Version; 2] = [Version::V3, Version::V5];

/// One packet as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub first: u8,
    pub body: Vec<u8>,
}

pub struct Client {
    pub version: Version,
    pub stream: TlsStream<TcpStream>,
    buffer: BytesMut,
    next_id: u16,
}

/// What a device asks for in its CONNECT.
#[derive(Clone, Debug, Default)]
pub struct Ask {
    pub client_id: Option<String>,
    pub keep_alive: u16,
    pub will: Option<(String, String)>,
}

/// Shakes hands, with a certificate chain and key in PEM or without.
pub async fn tls(door: &Door, identity: Option<(&str, &str)>) -> std::io::Result<TlsStream<TcpStream>> {
    tls_to(door.address, &door.root_pem, identity).await
}

/// Shakes hands with a door at an address.
pub async fn tls_to(
    address: SocketAddr,
    root_pem: &str,
    identity: Option<(&str, &str)>,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(root_pem.as_bytes()).unwrap()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let config = match identity {
        Some((chain, key)) => {
            let chain = CertificateDer::pem_slice_iter(chain.as_bytes()).collect::<Result<Vec<_>, _>>().unwrap();
            builder.with_client_auth_cert(chain, PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap()).unwrap()
        }
        None => builder.with_no_client_auth(),
    };
    let socket = TcpStream::connect(address).await?;
    socket.set_nodelay(true)?;
    TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("localhost").unwrap(), socket).await
}

/// Shakes hands as a device.
pub async fn tls_of(door: &Door, device: &Device) -> std::io::Result<TlsStream<TcpStream>> {
    let key = device.issued.private_key_pem.as_ref().unwrap();
    tls(door, Some((&device.issued.chain_pem, key.expose()))).await
}

/// Tells whether a connection is refused in the handshake; one that passes it and is closed later, as for the lack of
/// a CONNECT, is not.
pub async fn is_turned_away(connected: std::io::Result<TlsStream<TcpStream>>) -> bool {
    let Ok(mut stream) = connected else { return true };
    // In TLS 1.3 the client learns of its refusal only when it reads.
    let Err(error) = timeout(PATIENCE, stream.read(&mut [0; 16])).await.expect("an end") else { return false };
    let alert = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    matches!(alert, Some(rustls::Error::AlertReceived(_))) || error.kind() == std::io::ErrorKind::ConnectionReset
}

impl Client {
    /// Connects a device and expects to be let in.
    pub async fn connect(door: &Door, device: &Device, version: Version) -> Client {
        Self::connect_asking(door, device, version, Ask::default()).await
    }

    pub async fn connect_asking(door: &Door, device: &Device, version: Version, ask: Ask) -> Client {
        let mut client = Self::shake(door, device, version).await;
        let answer = client.ask(device, ask).await;
        assert_eq!((answer.first, &answer.body[..2]), (0x20, &[0, 0][..]), "{answer:?}");
        client
    }

    /// Shakes hands only.
    pub async fn shake(door: &Door, device: &Device, version: Version) -> Client {
        let stream = tls_of(door, device).await.unwrap();
        Self::over(stream, version)
    }

    /// Takes a stream over.
    pub fn over(stream: TlsStream<TcpStream>, version: Version) -> Client {
        Client { version, stream, buffer: BytesMut::new(), next_id: 1 }
    }

    /// Sends a CONNECT and returns the answer.
    pub async fn ask(&mut self, device: &Device, ask: Ask) -> Answer {
        let octets = connect_octets(device, self.version, ask);
        self.send(&octets).await;
        self.receive().await
    }

    pub async fn send(&mut self, octets: &[u8]) {
        self.stream.write_all(octets).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// Publishes with QoS 1 and returns the packet identifier.
    pub async fn publish(&mut self, topic: &str, payload: impl AsRef<[u8]>) -> u16 {
        let id = self.next_id;
        self.next_id += 1;
        let octets = publish_octets(self.version, topic, payload.as_ref(), 1, id);
        self.send(&octets).await;
        id
    }

    pub async fn publish_qos_0(&mut self, topic: &str, payload: impl AsRef<[u8]>) {
        let octets = publish_octets(self.version, topic, payload.as_ref(), 0, 0);
        self.send(&octets).await;
    }

    /// Publishes with QoS 1 and waits for the PUBACK; returns its reason code, 0 where there is none.
    pub async fn publish_acknowledged(&mut self, topic: &str, payload: impl AsRef<[u8]>) -> u8 {
        let id = self.publish(topic, payload).await;
        let (acknowledged, code) = self.receive_puback().await;
        assert_eq!(acknowledged, id);
        code
    }

    /// Receives a PUBACK; returns packet identifier and reason code.
    pub async fn receive_puback(&mut self) -> (u16, u8) {
        let answer = self.receive().await;
        assert_eq!(answer.first, 0x40, "{answer:?}");
        (u16::from_be_bytes([answer.body[0], answer.body[1]]), answer.body.get(2).copied().unwrap_or(0))
    }

    pub async fn receive(&mut self) -> Answer {
        self.next(PATIENCE).await.expect("an answer")
    }

    /// Returns the next packet, or none when nothing comes in time or the connection ends.
    pub async fn next(&mut self, within: Duration) -> Option<Answer> {
        timeout(within, async {
            loop {
                if let Some(answer) = self.take() {
                    return Some(answer);
                }
                match self.stream.read_buf(&mut self.buffer).await {
                    Ok(1..) => {}
                    Ok(0) | Err(_) => return None,
                }
            }
        })
        .await
        .ok()?
    }

    /// Waits for the end of the connection and returns the reason code of the DISCONNECT before it, if there was one.
    pub async fn ended(&mut self) -> Option<u8> {
        let mut code = None;
        loop {
            match timeout(PATIENCE, self.next(Duration::from_secs(3_600))).await.expect("an end") {
                Some(answer) if answer.first == 0xe0 => code = Some(answer.body[0]),
                Some(_) => {}
                None => return code,
            }
        }
    }

    fn take(&mut self) -> Option<Answer> {
        let (&first, rest) = self.buffer.split_first()?;
        let (mut length, mut digits) = (0, 0);
        loop {
            let octet = *rest.get(digits)?;
            length |= usize::from(octet & 0x7f) << (7 * digits);
            digits += 1;
            if octet & 0x80 == 0 {
                break;
            }
        }
        if rest.len() < digits + length {
            return None;
        }
        let body = rest[digits..digits + length].to_vec();
        self.buffer.advance(1 + digits + length);
        Some(Answer { first, body })
    }
}

pub fn connect_octets(device: &Device, version: Version, ask: Ask) -> BytesMut {
    connect_octets_of(device.id, version, ask)
}

pub fn connect_octets_of(device: Uuid, version: Version, ask: Ask) -> BytesMut {
    let (client_id, mut out) = (ask.client_id.unwrap_or_else(|| device.to_string()), BytesMut::new());
    match version {
        Version::V3 => {
            let mut connect = v4::Connect::new(client_id);
            connect.keep_alive = ask.keep_alive;
            connect.last_will = ask
                .will
                .map(|(topic, payload)| v4::LastWill::new(topic, payload, rumqttc::mqttbytes::QoS::AtLeastOnce, false));
            connect.write(&mut out).unwrap();
        }
        Version::V5 => {
            let connect = v5::Connect { keep_alive: ask.keep_alive, client_id, clean_start: true, properties: None };
            let qos = rumqttc::v5::mqttbytes::QoS::AtLeastOnce;
            let will = ask.will.map(|(topic, payload)| v5::LastWill::new(topic, payload, qos, false, None));
            connect.write(&will, &None, &mut out).unwrap();
        }
    }
    out
}

pub fn publish_octets(version: Version, topic: &str, payload: &[u8], qos: u8, id: u16) -> BytesMut {
    let mut out = BytesMut::new();
    match version {
        Version::V3 => {
            let qos = rumqttc::mqttbytes::qos(qos).unwrap();
            let mut publish = v4::Publish::new(topic, qos, payload);
            publish.pkid = id;
            publish.write(&mut out).unwrap();
        }
        Version::V5 => {
            let qos = rumqttc::v5::mqttbytes::qos(qos).unwrap();
            let mut publish = v5::Publish::new(topic, qos, payload.to_vec(), None);
            publish.pkid = id;
            publish.write(&mut out).unwrap();
        }
    }
    out
}
