//! Stock clients: paho-mqtt (PyPI), mosquitto_pub (Debian), socket.io-client (npm). What does not live here: what they
//! are used for.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{fs, thread};

use serde_json::Value;

use crate::fixtures::Device;

static INSTALLING: Mutex<()> = Mutex::new(());

/// How paho's connection or messages were answered.
#[derive(Debug)]
pub enum Answered {
    /// One outcome for each line.
    Lines(Vec<Value>),
    /// The connection was refused.
    Refused(String),
}

impl Answered {
    /// How many messages were acknowledged.
    pub fn acknowledged(&self) -> usize {
        match self {
            Self::Lines(lines) => lines.iter().filter(|line| line["acknowledged"] == true).count(),
            Self::Refused(_) => 0,
        }
    }
}

/// Publishes payloads with paho-mqtt on a topic.
pub fn paho(device: &Device, port: u16, version: &str, topic: &str, payloads: &[String]) -> Answered {
    let mut child = Command::new("python3")
        .arg(clients().join("publish.py"))
        .args(["--host", "localhost", "--port", &port.to_string(), "--version", version])
        .args(["--client-id", &device.id, "--topic", topic])
        .arg("--ca")
        .arg(&device.root)
        .arg("--cert")
        .arg(&device.certificate)
        .arg("--key")
        .arg(&device.key)
        .env("PYTHONPATH", python_packages())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 starts");
    let mut input = child.stdin.take().unwrap();
    for payload in payloads {
        // A refused client has stopped reading; what it printed says so.
        let _ = writeln!(input, "{payload}");
    }
    drop(input);
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    match lines.iter().find_map(|line| line["refused"].as_str()) {
        Some(reason) => Answered::Refused(reason.to_owned()),
        None => Answered::Lines(lines),
    }
}

/// Publishes one payload with mosquitto_pub; answers its exit code.
pub fn mosquitto(device: &Device, port: u16, version: &str, payload: &str) -> i32 {
    ensure_mosquitto();
    Command::new("mosquitto_pub")
        .args(["-h", "localhost", "-p", &port.to_string(), "-V", version, "-q", "1", "-i", &device.id])
        .args(["-t", &device.topic, "-m", payload])
        .arg("--cafile")
        .arg(&device.root)
        .arg("--cert")
        .arg(&device.certificate)
        .arg("--key")
        .arg(&device.key)
        .status()
        .expect("mosquitto_pub starts")
        .code()
        .unwrap_or(-1)
}

/// A stock socket.io-client that collects what it hears.
pub struct Feed {
    child: Child,
    lines: Receiver<Value>,
    heard: Vec<Value>,
}

impl Feed {
    /// Connects with `websocket` or `polling` and subscribes.
    pub fn open(url: &str, token: &str, subscription: &Value, transport: &str) -> Self {
        let mut child = Command::new("node")
            .arg(node_client())
            .args([url, token, &subscription.to_string(), transport])
            .stdout(Stdio::piped())
            .spawn()
            .expect("node starts");
        let output = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let _ = sender.send(serde_json::from_str(&line).unwrap_or(Value::String(line)));
            }
        });
        Self { child, lines, heard: Vec::new() }
    }

    /// Waits for an event whose data is wanted.
    pub fn expect(&mut self, event: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + Duration::from_secs(30);
        let matches = |message: &Value| message["event"] == event && wanted(&message["data"]);
        if let Some(found) = self.heard.iter().find(|message| matches(message)) {
            return found["data"].clone();
        }
        while let Ok(message) = self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            self.heard.push(message.clone());
            if matches(&message) {
                return message["data"].clone();
            }
        }
        panic!("no wanted {event}; heard {:#?}", self.heard);
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn clients() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/clients")
}

fn tools() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("stock-clients")
}

fn python_packages() -> PathBuf {
    packages("python", "requirements.txt", "paho")
}

/// Installs what a list names, in a folder of its own, unless `present` is there already.
fn packages(folder: &str, list: &str, present: &str) -> PathBuf {
    let _one = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    let target = tools().join(folder);
    if !target.join(present).exists() {
        let arguments = ["-m", "pip", "install", "--quiet", "--require-hashes", "--no-deps", "-r"];
        let mut pip = Command::new("python3");
        pip.args(arguments).arg(clients().join(list)).arg("--target").arg(&target);
        succeed(&mut pip);
    }
    target
}

/// Has schemathesis ask the API whatever its document allows, and things that it does not; answers what it found.
pub fn schemathesis(document: &str, token: &str, organization: &str, arguments: &[&str]) -> Result<(), String> {
    let target = packages("schemathesis", "schemathesis.txt", "schemathesis");
    let mut command = Command::new("python3");
    command.args(["-m", "schemathesis.cli", "run", document]).args(arguments);
    command.args(["--header", &format!("Authorization: Bearer {token}")]);
    command.args(["--header", &format!("X-Organization: {organization}")]);
    command.env("PYTHONPATH", target).env("PYTHONDONTWRITEBYTECODE", "1").current_dir(tools());
    let output = command.output().expect("python3 starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(()) } else { Err(said) }
}

fn node_client() -> PathBuf {
    let _one = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    let target = tools().join("node");
    fs::create_dir_all(&target).unwrap();
    for file in ["package.json", "package-lock.json", "feed.mjs"] {
        fs::copy(clients().join(file), target.join(file)).unwrap();
    }
    if !target.join("node_modules/socket.io-client").exists() {
        succeed(Command::new("npm").args(["ci", "--silent", "--no-audit", "--no-fund"]).current_dir(&target));
    }
    target.join("feed.mjs")
}

/// Generates a TypeScript client from the API's document, compiles it strictly, and lets it make and list a device; answers
/// the lines that it printed.
pub fn typescript(base: &str, email: &str, password: &str) -> Vec<Value> {
    let _one = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    let (target, source) = (tools().join("typescript"), clients().join("typescript"));
    fs::create_dir_all(&target).unwrap();
    for file in ["package.json", "package-lock.json", "tsconfig.json", "devices.ts"] {
        fs::copy(source.join(file), target.join(file)).unwrap();
    }
    fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("api/openapi.json"), target.join("openapi.json")).unwrap();
    let npm = |arguments: &[&str]| succeed(Command::new("npm").args(arguments).current_dir(&target));
    if !target.join("node_modules/openapi-fetch").exists() {
        npm(&["ci", "--silent", "--no-audit", "--no-fund"]);
    }
    npm(&["run", "--silent", "generate"]);
    npm(&["run", "--silent", "build"]);
    let mut node = Command::new("node");
    let output = succeed(node.arg("out/devices.js").args([base, email, password]).current_dir(&target));
    output.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

fn ensure_mosquitto() {
    let _one = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    ensure_command("mosquitto_pub", "mosquitto-clients");
}

/// Installs a Debian package where its command is missing.
pub fn ensure_command(command: &str, package: &str) {
    let is_there =
        || Command::new("sh").args(["-c", &format!("command -v {command}")]).output().unwrap().status.success();
    if !is_there() {
        let install = format!("apt-get update -qq && apt-get install -y -qq --no-install-recommends {package}");
        succeed(Command::new("sh").args(["-c", &install]));
    }
    assert!(is_there(), "install {package}: the tests need {command}");
}

fn succeed(command: &mut Command) -> String {
    let output = command.output().expect("the program starts");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {out}{err}");
    out.into_owned()
}
