//! Minimal clients of the servers' protocols, just enough to probe a server and to run a statement: NATS' greeting,
//! Redis' inline commands, PostgreSQL's simple queries, MQTT's CONNECT and CONNACK.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// Why a probe or a statement failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The connection failed or broke.
    #[error("no connection: {0}")]
    Connection(#[from] io::Error),
    /// The server refused; the text is its own message.
    #[error("{0}")]
    Refused(String),
    /// Another program listens on the port.
    #[error("another program answers: {0}")]
    OtherProgram(String),
}

/// The greeting that nats-server sends when a client connects.
#[derive(Debug, Deserialize)]
pub(crate) struct NatsGreeting {
    pub server_name: String,
    #[serde(default)]
    pub jetstream: bool,
}

/// Connects to nats-server and reads its greeting, which precedes any TLS handshake.
pub(crate) async fn nats_greeting(address: SocketAddr) -> Result<NatsGreeting, Error> {
    let mut line = String::new();
    BufReader::new(TcpStream::connect(address).await?).read_line(&mut line).await?;
    let greeting = line.strip_prefix("INFO ").and_then(|json| serde_json::from_str(json.trim()).ok());
    greeting.ok_or_else(|| Error::OtherProgram(line.trim().into()))
}

/// Queries nats-server's health endpoint. In a cluster, healthy includes that JetStream has caught up.
pub(crate) async fn nats_health(address: SocketAddr) -> Result<(), Error> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(b"GET /healthz HTTP/1.0\r\n\r\n").await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let status = answer.split_whitespace().nth(1);
    if status == Some("200") { Ok(()) } else { Err(Error::Refused(answer.lines().last().unwrap_or_default().into())) }
}

/// Returns the loopback address with this port.
pub(crate) fn local(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// Queries Redis for its process id. Redis refuses while it loads its data.
pub(crate) async fn redis_pid(port: u16) -> Result<u32, Error> {
    let mut stream = BufReader::new(connect(port).await?);
    stream.get_mut().write_all(b"INFO server\r\n").await?;
    let mut line = String::new();
    while stream.read_line(&mut line).await? > 0 {
        if let Some(pid) = line.trim().strip_prefix("process_id:").and_then(|pid| pid.parse().ok()) {
            return Ok(pid);
        }
        if line.starts_with('-') {
            return Err(Error::Refused(line.trim().into()));
        }
        line.clear();
    }
    Err(Error::OtherProgram("it closed the connection".into()))
}

/// Connects to an MQTT broker with user name and password. Returns the return code of the CONNACK (MQTT 3.1.1, section
/// 3.2.2.3).
pub(crate) async fn mqtt_connack(port: u16, user: &str, password: &str) -> Result<u8, Error> {
    // Flags: user name, password, clean session. Keep-alive of ten seconds; the broker chooses the client id.
    let mut body = vec![0, 4, b'M', b'Q', b'T', b'T', 4, 0b1100_0010, 0, 10];
    for text in ["", user, password] {
        // A longer text is refused below by the length of the packet.
        body.extend_from_slice(&u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes());
        body.extend_from_slice(text.as_bytes());
    }
    let length = u8::try_from(body.len()).ok().filter(|length| *length < 128);
    let length = length.ok_or_else(|| Error::Refused("name and password are too long".into()))?;
    let mut stream = connect(port).await?;
    stream.write_all(&[&[0x10, length], body.as_slice()].concat()).await?;
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).await?;
    match answer {
        [0x20, 2, _, code] => Ok(code),
        _ => Err(Error::OtherProgram(format!("it answers CONNECT with {answer:02x?}"))),
    }
}

/// A connection to PostgreSQL as user `argusiq`, without a password, in protocol 3.0 (see PostgreSQL's "Message
/// Formats").
#[derive(Debug)]
pub(crate) struct Postgres(BufReader<TcpStream>);

impl Postgres {
    pub(crate) async fn connect(port: u16, database: &str) -> Result<Self, Error> {
        let mut body = 196_608_i32.to_be_bytes().to_vec();
        for text in ["user", "argusiq", "database", database, ""] {
            body.extend_from_slice(text.as_bytes());
            body.push(0);
        }
        let mut stream = connect(port).await?;
        stream.write_all(&framed(None, &body)).await?;
        let mut connection = Self(BufReader::new(stream));
        connection.answer().await?;
        Ok(connection)
    }

    /// Runs one statement. Returns the first column of each row, with NULL as an empty text. The connection is unusable
    /// after an error.
    pub(crate) async fn query(&mut self, sql: &str) -> Result<Vec<String>, Error> {
        let mut body = sql.as_bytes().to_vec();
        body.push(0);
        self.0.get_mut().write_all(&framed(Some(b'Q'), &body)).await?;
        self.answer().await
    }

    /// Reads messages up to `ReadyForQuery` or an error.
    async fn answer(&mut self) -> Result<Vec<String>, Error> {
        let mut rows = Vec::new();
        loop {
            let kind = self.0.read_u8().await?;
            let length = usize::try_from(self.0.read_i32().await? - 4).unwrap_or(0);
            let mut body = vec![0; length];
            self.0.read_exact(&mut body).await?;
            match kind {
                b'Z' => return Ok(rows),
                b'D' => rows.push(first_column(&body)),
                b'E' => return Err(Error::Refused(reason(&body))),
                _ => {}
            }
        }
    }
}

async fn connect(port: u16) -> io::Result<TcpStream> {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await
}

/// Frames a message: kind, length including its own four bytes, body.
fn framed(kind: Option<u8>, body: &[u8]) -> Vec<u8> {
    let length = i32::try_from(body.len() + 4).unwrap_or(i32::MAX);
    kind.into_iter().chain(length.to_be_bytes()).chain(body.iter().copied()).collect()
}

/// Reads the first column of a `DataRow`: number of columns (2 bytes), then for each its length (4 bytes, -1 for NULL)
/// and bytes.
fn first_column(body: &[u8]) -> String {
    let length = body.get(2..6).and_then(|bytes| bytes.try_into().ok()).map_or(0, i32::from_be_bytes);
    let length = usize::try_from(length).unwrap_or(0);
    body.get(6..6 + length).map(|bytes| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default()
}

/// Reads the message of an `ErrorResponse`, which has fields of a letter and a text; the letter M marks the message.
fn reason(body: &[u8]) -> String {
    let field = body.split(|byte| *byte == 0).find_map(|field| field.strip_prefix(b"M"));
    String::from_utf8_lossy(field.unwrap_or(b"it gave no reason")).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_of_an_error_response_is_found_among_its_fields() {
        assert_eq!(
            reason(b"SFATAL\0C57P03\0Mthe database system is starting up\0\0"),
            "the database system is starting up"
        );
    }

    #[test]
    fn the_first_column_of_a_row_is_returned_as_text_and_null_is_empty() {
        assert_eq!(first_column(b"\0\x02\0\0\0\x03abc\0\0\0\x01d"), "abc");
        assert_eq!(first_column(b"\0\x01\xff\xff\xff\xff"), "");
    }

    #[tokio::test]
    async fn another_program_on_a_servers_port_is_recognised() {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let other = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(b"220 mail ready\r\n").await.unwrap();
        });
        let error = nats_greeting(local(port)).await.unwrap_err();
        assert_eq!(error.to_string(), "another program answers: 220 mail ready");
        other.await.unwrap();
    }
}
