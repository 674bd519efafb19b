//! A proxy in front of a real nats-server that changes the version in the server's greeting, to simulate an older
//! server.

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

/// Starts the proxy and returns its address.
pub async fn old_server(behind: &str, version: &'static str) -> String {
    let behind = behind.trim_start_matches("nats://").to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("nats://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(pass(client, behind.clone(), version));
        }
    });
    address
}

async fn pass(mut client: TcpStream, behind: String, version: &str) {
    let mut server = BufReader::new(TcpStream::connect(behind).await.unwrap());
    let mut greeting = String::new();
    server.read_line(&mut greeting).await.unwrap();
    let (before, rest) = greeting.split_once("\"version\":\"").unwrap();
    let (_, after) = rest.split_once('"').unwrap();
    client.write_all(format!("{before}\"version\":\"{version}\"{after}").as_bytes()).await.unwrap();
    // The connection ends when either side closes it.
    let _ = copy_bidirectional(&mut client, &mut server).await;
}
