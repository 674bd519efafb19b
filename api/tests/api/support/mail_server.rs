//! A minimal SMTP server (RFC 5321) that keeps the mails it receives for tests to read.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Mutex;

/// A received mail.
#[derive(Clone, Debug)]
pub struct Mail {
    pub to: Vec<String>,
    pub text: String,
}

static MAILS: Mutex<Vec<Mail>> = Mutex::new(Vec::new());

/// Starts the server; returns its port.
pub fn start() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            std::thread::spawn(move || serve(connection));
        }
    });
    port
}

/// Returns the mails received for an address.
pub fn mails_for(address: &str) -> Vec<Mail> {
    let all = MAILS.lock().unwrap();
    all.iter().filter(|mail| mail.to.iter().any(|to| to.contains(address))).cloned().collect()
}

fn serve(connection: TcpStream) -> Option<()> {
    let mut answers = connection.try_clone().ok()?;
    let mut lines = BufReader::new(connection).lines().map_while(Result::ok);
    let mut to = Vec::new();
    answers.write_all(b"220 mail.example.com\r\n").ok()?;
    while let Some(line) = lines.next() {
        let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        let answer: &[u8] = match verb.as_str() {
            "EHLO" | "HELO" => b"250 mail.example.com\r\n",
            "DATA" => {
                answers.write_all(b"354 go on\r\n").ok()?;
                let text = lines.by_ref().take_while(|line| line != ".").collect::<Vec<_>>().join("\n");
                MAILS.lock().unwrap().push(Mail { to: std::mem::take(&mut to), text });
                b"250 taken\r\n"
            }
            "RCPT" => {
                to.push(line);
                b"250 fine\r\n"
            }
            "QUIT" => {
                answers.write_all(b"221 bye\r\n").ok()?;
                return Some(());
            }
            _ => b"250 fine\r\n",
        };
        answers.write_all(answer).ok()?;
    }
    Some(())
}
