//! mosquitto, the third-party MQTT broker between devices and the bridge in tests: its configuration and its probe.

use std::fmt::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use nix::sys::signal::Signal;
use nix::unistd::Uid;

use crate::error::Error;
use crate::options::Broker;
use crate::process::Launch;
use crate::protocols;
use crate::server::Server;
use crate::servers::plan::Plan;

/// The state file of the dynamic security plugin.
const DYNAMIC_SECURITY: &str = "dynamic-security.json";

pub(super) async fn prepare(plan: &Plan<'_>, broker: &Broker) -> Result<Launch, Error> {
    let folder = plan.folder.of(Server::Mosquitto)?;
    if broker.dynamic_security {
        init_dynamic_security(plan, broker, &folder.join(DYNAMIC_SECURITY)).await?;
    } else {
        write_private(&folder.join("acl"), &access(broker))?;
        hash_password(plan, broker, &folder.join("passwords")).await?;
    }
    let path = folder.join("mosquitto.conf");
    write_private(&path, &configuration(plan, broker, &folder))?;
    Ok(Launch {
        program: plan.binaries.mosquitto.clone(),
        arguments: vec!["-c".into(), path.into()],
        directory: folder,
        account: None,
        log: plan.folder.log("mosquitto"),
        stop_signal: Signal::SIGTERM,
    })
}

/// Succeeds when the broker accepts the service account, which another program would not know.
pub(super) async fn probe(port: u16, broker: &Broker) -> Result<(), protocols::Error> {
    match protocols::mqtt_connack(port, &broker.user, &broker.password).await? {
        0 => Ok(()),
        code => Err(protocols::Error::OtherProgram(format!("a broker that answers CONNECT with {code}"))),
    }
}

/// Returns the configuration. `max_queued_messages 0` means no limit: messages that were acknowledged to a device wait
/// for the bridge, whereas the broker's default limit would drop them. Logs also go to `$SYS/broker/log/N`, where the
/// bridge reads connects and disconnects.
fn configuration(plan: &Plan<'_>, broker: &Broker, folder: &Path) -> String {
    let (plain, tls) = (plan.ports.broker, plan.ports.broker_tls);
    let mut text = format!(
        "# Written on every start; changes are lost.
per_listener_settings false
allow_anonymous false
pid_file {}
persistence true
persistence_location ./
autosave_interval 1
max_queued_messages 0
max_inflight_messages 1000
connection_messages true
log_dest stderr
log_dest topic
log_type error
log_type warning
log_type notice
log_type subscribe
listener {plain} 127.0.0.1
listener {tls} 127.0.0.1
require_certificate true
use_identity_as_username true
use_username_as_clientid true
",
        folder.join("mosquitto.pid").display()
    );
    text.push_str(&if broker.dynamic_security {
        format!("plugin {}\nplugin_opt_config_file {DYNAMIC_SECURITY}\n", plugin().display())
    } else {
        "password_file passwords\nacl_file acl\n".to_owned()
    });
    let files = [
        ("cafile", Some(&broker.authority_file)),
        ("certfile", Some(&broker.certificate_file)),
        ("keyfile", Some(&broker.key_file)),
        ("crlfile", broker.revocation_file.as_ref()),
    ];
    for (name, path) in files {
        if let Some(path) = path {
            // Writing into a string cannot fail.
            let _ = writeln!(text, "{name} {}", path.display());
        }
    }
    if Uid::effective().is_root() {
        // By default mosquitto drops root for a user that cannot read the folder.
        text.push_str("user root\n");
    }
    text
}

/// Returns the ACL: the service account reads telemetry and the broker's own notices; a device writes to its own topic
/// and reads its own commands.
fn access(broker: &Broker) -> String {
    format!(
        "user {}\ntopic read v1/telemetry/#\ntopic read $SYS/#\n\npattern write v1/telemetry/+/%u\npattern read v1/commands/+/%u\n",
        broker.user
    )
}

/// Creates the plugin's initial state with one administrator, using mosquitto's own program. A later start keeps the
/// state.
async fn init_dynamic_security(plan: &Plan<'_>, broker: &Broker, path: &Path) -> Result<(), Error> {
    if path.exists() {
        return Ok(());
    }
    let program = companion_program(&plan.binaries.mosquitto, "mosquitto_ctrl");
    let mut command = tokio::process::Command::new(&program);
    command.args(["dynsec", "init"]).arg(path).args([&broker.user, &broker.password]);
    run("mosquitto_ctrl", program, command).await
}

/// Returns where Debian installs the plugin on this architecture.
fn plugin() -> PathBuf {
    format!("/usr/lib/{}-linux-gnu/mosquitto_dynamic_security.so", std::env::consts::ARCH).into()
}

/// Hashes the password with mosquitto's own program, which rewrites the file in place.
async fn hash_password(plan: &Plan<'_>, broker: &Broker, path: &Path) -> Result<(), Error> {
    write_private(path, &format!("{}:{}\n", broker.user, broker.password))?;
    let program = companion_program(&plan.binaries.mosquitto, "mosquitto_passwd");
    let mut command = tokio::process::Command::new(&program);
    command.arg("-U").arg(path);
    run("mosquitto_passwd", program, command).await
}

async fn run(name: &'static str, program: PathBuf, mut command: tokio::process::Command) -> Result<(), Error> {
    let output = command.output().await.map_err(|source| Error::Spawn { program, source })?;
    if output.status.success() {
        return Ok(());
    }
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(Error::Helper { program: name, status: output.status, log })
}

/// Returns the path of another of mosquitto's programs: in the broker's folder, else on the `PATH`. Debian installs the
/// broker in `/usr/sbin` and the others in `/usr/bin`.
fn companion_program(broker: &Path, name: &str) -> PathBuf {
    let beside = broker.with_file_name(name);
    if beside.exists() { beside } else { PathBuf::from(name) }
}

fn write_private(path: &Path, text: &str) -> Result<(), Error> {
    let write = || {
        let mut options = std::fs::OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(path)?;
        std::io::Write::write_all(&mut file, text.as_bytes())
    };
    write().map_err(Error::file("write", path))
}
