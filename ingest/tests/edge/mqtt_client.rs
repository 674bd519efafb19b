//! A minimal MQTT client on a TLS socket, so that tests see every byte.

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

use super::test_platform::{Device, Door, TIMEOUT};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    V3,
    V5,
}

pub const BOTH_VERSIONS: [Version; 2] = [Version::V3, Version::V5];

/// One received packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    pub first: u8,
    pub body: Vec<u8>,
}

pub struct Client {
    pub version: Version,
    pub stream: TlsStream<TcpStream>,
    buffer: BytesMut,
    next_id: u16,
}

/// The options of a CONNECT.
#[derive(Clone, Debug, Default)]
pub struct ConnectOptions {
    pub client_id: Option<String>,
    pub keep_alive: u16,
    pub will: Option<(String, String)>,
    pub will_qos: u8,
}

/// Performs the TLS handshake, optionally with a certificate chain and key in PEM.
pub async fn tls(door: &Door, identity: Option<(&str, &str)>) -> std::io::Result<TlsStream<TcpStream>> {
    tls_to(door.address, &door.root_pem, identity).await
}

/// Performs the TLS handshake with an address.
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

/// Performs the TLS handshake as a device.
pub async fn tls_of(door: &Door, device: &Device) -> std::io::Result<TlsStream<TcpStream>> {
    let key = device.issued.private_key_pem.as_ref().unwrap();
    tls(door, Some((&device.issued.chain_pem, key.expose()))).await
}

/// Tells whether a connection was refused in the handshake. One that passes it and is closed later, for example without
/// a CONNECT, is not.
pub async fn is_refused_in_handshake(connected: std::io::Result<TlsStream<TcpStream>>) -> bool {
    let Ok(mut stream) = connected else { return true };
    // In TLS 1.3 the client learns only when reading that it was refused.
    let Err(error) = timeout(TIMEOUT, stream.read(&mut [0; 16])).await.expect("an end") else { return false };
    let alert = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    matches!(alert, Some(rustls::Error::AlertReceived(_))) || error.kind() == std::io::ErrorKind::ConnectionReset
}

impl Client {
    /// Connects a device and expects to be admitted.
    pub async fn connect(door: &Door, device: &Device, version: Version) -> Client {
        Self::connect_with(door, device, version, ConnectOptions::default()).await
    }

    pub async fn connect_with(door: &Door, device: &Device, version: Version, options: ConnectOptions) -> Client {
        let mut client = Self::handshake(door, device, version).await;
        let answer = client.send_connect(device, options).await;
        assert_eq!((answer.first, &answer.body[..2]), (0x20, &[0, 0][..]), "{answer:?}");
        client
    }

    /// Performs only the TLS handshake.
    pub async fn handshake(door: &Door, device: &Device, version: Version) -> Client {
        let stream = tls_of(door, device).await.unwrap();
        Self::over(stream, version)
    }

    /// Wraps a stream.
    pub fn over(stream: TlsStream<TcpStream>, version: Version) -> Client {
        Client { version, stream, buffer: BytesMut::new(), next_id: 1 }
    }

    /// Sends a CONNECT and returns the answer.
    pub async fn send_connect(&mut self, device: &Device, options: ConnectOptions) -> Packet {
        let bytes = connect_packet(device, self.version, options);
        self.send(&bytes).await;
        self.receive().await
    }

    pub async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// Publishes with QoS 1 and returns the packet identifier.
    pub async fn publish(&mut self, topic: &str, payload: impl AsRef<[u8]>) -> u16 {
        let id = self.next_id;
        self.next_id += 1;
        let bytes = publish_packet(self.version, topic, payload.as_ref(), 1, id);
        self.send(&bytes).await;
        id
    }

    pub async fn publish_qos_0(&mut self, topic: &str, payload: impl AsRef<[u8]>) {
        let bytes = publish_packet(self.version, topic, payload.as_ref(), 0, 0);
        self.send(&bytes).await;
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

    pub async fn receive(&mut self) -> Packet {
        self.next(TIMEOUT).await.expect("an answer")
    }

    /// Returns the next packet; `None` if nothing arrives in time or the connection ends.
    pub async fn next(&mut self, within: Duration) -> Option<Packet> {
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

    /// Waits for the connection to end and returns the reason code of the DISCONNECT before it, if there was one.
    pub async fn ended(&mut self) -> Option<u8> {
        let mut code = None;
        loop {
            match timeout(TIMEOUT, self.next(Duration::from_secs(3_600))).await.expect("an end") {
                Some(answer) if answer.first == 0xe0 => code = Some(answer.body[0]),
                Some(_) => {}
                None => return code,
            }
        }
    }

    fn take(&mut self) -> Option<Packet> {
        let (&first, rest) = self.buffer.split_first()?;
        let (mut length, mut digits) = (0, 0);
        loop {
            let byte = *rest.get(digits)?;
            length |= usize::from(byte & 0x7f) << (7 * digits);
            digits += 1;
            if byte & 0x80 == 0 {
                break;
            }
        }
        if rest.len() < digits + length {
            return None;
        }
        let body = rest[digits..digits + length].to_vec();
        self.buffer.advance(1 + digits + length);
        Some(Packet { first, body })
    }
}

pub fn connect_packet(device: &Device, version: Version, options: ConnectOptions) -> BytesMut {
    connect_packet_of(device.id, version, options)
}

pub fn connect_packet_of(device: Uuid, version: Version, options: ConnectOptions) -> BytesMut {
    let (client_id, mut out) = (options.client_id.unwrap_or_else(|| device.to_string()), BytesMut::new());
    match version {
        Version::V3 => {
            let mut connect = v4::Connect::new(client_id);
            connect.keep_alive = options.keep_alive;
            let qos = rumqttc::mqttbytes::qos(options.will_qos).unwrap();
            connect.last_will = options.will.map(|(topic, payload)| v4::LastWill::new(topic, payload, qos, false));
            connect.write(&mut out).unwrap();
        }
        Version::V5 => {
            let connect =
                v5::Connect { keep_alive: options.keep_alive, client_id, clean_start: true, properties: None };
            let qos = rumqttc::v5::mqttbytes::qos(options.will_qos).unwrap();
            let will = options.will.map(|(topic, payload)| v5::LastWill::new(topic, payload, qos, false, None));
            connect.write(&will, &None, &mut out).unwrap();
        }
    }
    out
}

pub fn publish_packet(version: Version, topic: &str, payload: &[u8], qos: u8, id: u16) -> BytesMut {
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
