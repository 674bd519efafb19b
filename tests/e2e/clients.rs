//! Third-party clients: paho-mqtt and schemathesis (PyPI), mosquitto_pub (Debian), socket.io-client and a generated
//! TypeScript client (npm). Installs them on first use.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{fs, thread};

use serde_json::Value;

use crate::fixtures::Device;

/// Held while installing, so that tests of one process do not install the same packages at the same time.
static INSTALLING: Mutex<()> = Mutex::new(());

/// The outcome of publishing with paho.
#[derive(Debug)]
pub enum Answered {
    /// The connection was accepted; one JSON outcome per message.
    Lines(Vec<Value>),
    /// The connection was refused or closed, with the reason.
    Refused(String),
}

impl Answered {
    /// Returns how many messages were acknowledged.
    pub fn acknowledged(&self) -> usize {
        match self {
            Self::Lines(lines) => lines.iter().filter(|line| line["acknowledged"] == true).count(),
            Self::Refused(_) => 0,
        }
    }
}

/// Publishes payloads to a topic with paho-mqtt, at QoS 1, with an MQTT `version` of `3.1.1` or `5`.
pub fn paho(device: &Device, port: u16, version: &str, topic: &str, payloads: &[String]) -> Answered {
    let mut child = Command::new("python3")
        .arg(scripts_folder().join("publish.py"))
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
        // A refused client no longer reads its input; its output gives the reason.
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

/// Publishes one payload with mosquitto_pub; returns its exit code, or -1 if a signal ended it.
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

/// A socket.io-client process that collects the events it receives.
pub struct Feed {
    child: Child,
    lines: Receiver<Value>,
    received: Vec<Value>,
}

impl Feed {
    /// Connects with the transport `websocket` or `polling` and sends a subscription.
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
        Self { child, lines, received: Vec::new() }
    }

    /// Waits up to 30 s for an event whose data matches, including those received before; returns its data.
    pub fn expect(&mut self, event: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + Duration::from_secs(30);
        let matches = |message: &Value| message["event"] == event && wanted(&message["data"]);
        if let Some(found) = self.received.iter().find(|message| matches(message)) {
            return found["data"].clone();
        }
        while let Ok(message) = self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            self.received.push(message.clone());
            if matches(&message) {
                return message["data"].clone();
            }
        }
        panic!("no matching {event}; received {:#?}", self.received);
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns the folder of the client scripts and package lists.
fn scripts_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/clients")
}

/// Returns the folder of installed clients, which later test runs reuse.
fn install_folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("stock-clients")
}

/// Installs paho-mqtt; returns the folder.
fn python_packages() -> PathBuf {
    pip_install("python", "requirements.txt", "paho")
}

/// Installs the Python packages of a requirements file into a folder, unless it contains `present`; returns the folder.
fn pip_install(folder: &str, list: &str, present: &str) -> PathBuf {
    let _guard = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    let target = install_folder().join(folder);
    if !target.join(present).exists() {
        let arguments = ["-m", "pip", "install", "--quiet", "--require-hashes", "--no-deps", "-r"];
        let mut pip = Command::new("python3");
        pip.args(arguments).arg(scripts_folder().join(list)).arg("--target").arg(&target);
        succeed(&mut pip);
    }
    target
}

/// Fuzzes the API with schemathesis: valid and invalid requests generated from its OpenAPI document. Returns the output
/// as an error if a check failed.
pub fn schemathesis(document: &str, token: &str, organization: &str, arguments: &[&str]) -> Result<(), String> {
    let target = pip_install("schemathesis", "schemathesis.txt", "schemathesis");
    let mut command = Command::new("python3");
    command.args(["-m", "schemathesis.cli", "run", document]).args(arguments);
    command.args(["--header", &format!("Authorization: Bearer {token}")]);
    command.args(["--header", &format!("X-Organization: {organization}")]);
    command.env("PYTHONPATH", target).env("PYTHONDONTWRITEBYTECODE", "1").current_dir(install_folder());
    let output = command.output().expect("python3 starts");
    let report = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(()) } else { Err(report) }
}

/// Installs socket.io-client; returns the path of the script that uses it.
fn node_client() -> PathBuf {
    let _guard = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    let target = install_folder().join("node");
    fs::create_dir_all(&target).unwrap();
    for file in ["package.json", "package-lock.json", "feed.mjs"] {
        fs::copy(scripts_folder().join(file), target.join(file)).unwrap();
    }
    if !target.join("node_modules/socket.io-client").exists() {
        succeed(Command::new("npm").args(["ci", "--silent", "--no-audit", "--no-fund"]).current_dir(&target));
    }
    target.join("feed.mjs")
}

/// Generates a TypeScript client from the OpenAPI document, compiles it in strict mode and runs it to create and list a
/// device. Returns the JSON lines that it printed.
pub fn typescript(base: &str, email: &str, password: &str) -> Vec<Value> {
    let _guard = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    let (target, source) = (install_folder().join("typescript"), scripts_folder().join("typescript"));
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
    let _guard = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    ensure_command("mosquitto_pub", "mosquitto-clients");
}

/// Installs a Debian package if its command is missing.
pub fn ensure_command(command: &str, package: &str) {
    let is_installed =
        || Command::new("sh").args(["-c", &format!("command -v {command}")]).output().unwrap().status.success();
    if !is_installed() {
        let install = format!("apt-get update -qq && apt-get install -y -qq --no-install-recommends {package}");
        succeed(Command::new("sh").args(["-c", &install]));
    }
    assert!(is_installed(), "install {package}: the tests need {command}");
}

/// Runs a command that must succeed; returns its standard output.
fn succeed(command: &mut Command) -> String {
    let output = command.output().expect("the program starts");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {out}{err}");
    out.into_owned()
}
