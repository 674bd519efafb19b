//! A running platform for a test: `argusiq up`, or one process per role connected to servers that the test starts.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use stack::{Options, Stack};
use tempfile::TempDir;

use crate::api_client::Api;
use crate::wait::wait_until;

/// The administrator's email on every test platform.
pub const EMAIL: &str = "admin@argusiq.test";
/// The administrator's password.
pub const PASSWORD: &str = "correct horse battery staple";

/// Longest wait until the platform is ready.
const READY: Duration = Duration::from_secs(90);

/// Variables that tests read; the platform refuses the names that it does not know.
const SETTINGS_OF_TESTS: [&str; 4] =
    ["ARGUSIQ_TEST_STACK", "ARGUSIQ_FUZZ_EXAMPLES", "ARGUSIQ_REFERENCE_CASES", "ARGUSIQ_REFERENCE_SEED"];

/// The roles that run as separate processes.
pub const ROLES: [&str; 4] = ["api", "ingest", "process", "project"];

/// A running platform; dropping it stops its processes and servers.
pub struct Platform {
    pub folder: TempDir,
    /// Base port: the API's; the other listeners' ports follow it.
    pub base: u16,
    pub processes: BTreeMap<&'static str, Child>,
    pub stack: Option<Stack>,
    environment: Vec<(String, String)>,
    /// Variables by command, which override `environment`.
    per_command: BTreeMap<&'static str, Vec<(String, String)>>,
}

impl Platform {
    /// Starts `argusiq up` and waits until it is ready.
    pub fn up() -> Self {
        Self::up_with(&[])
    }

    /// Like [`Self::up`], with additional environment variables.
    pub fn up_with(settings: &[(&str, &str)]) -> Self {
        let mut platform = Self::prepare(tempfile::tempdir().unwrap(), to_owned_pairs(settings), None);
        platform.start("up");
        platform.wait_until_ready();
        platform
    }

    /// Starts the servers, then each role as a separate process, and waits until the platform is ready.
    pub async fn separate_roles() -> Self {
        Self::separate_roles_with(&[]).await
    }

    /// Like [`Self::separate_roles`], with additional environment variables.
    pub async fn separate_roles_with(settings: &[(&str, &str)]) -> Self {
        let mut platform = Self::servers_with(settings).await;
        ROLES.iter().for_each(|role| platform.start(role));
        tokio::task::block_in_place(|| platform.wait_until_ready());
        platform
    }

    /// Starts and migrates the servers, without any role.
    pub async fn servers_only() -> Self {
        Self::servers_with(&[]).await
    }

    async fn servers_with(settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let stack = Stack::start(Options::throwaway(folder.path().join("servers"))).await.expect("servers");
        let urls = stack.urls();
        let environment = [
            ("ARGUSIQ_NATS__URL", urls.nats.clone()),
            ("ARGUSIQ_POSTGRES__URL", urls.postgres.clone()),
            ("ARGUSIQ_REDIS__URL", urls.redis.clone()),
        ];
        let mut environment = environment.map(|(name, value)| (name.to_owned(), value)).to_vec();
        environment.extend(to_owned_pairs(settings));
        let platform = Self::prepare(folder, environment, Some(stack));
        platform.run(&["migrate"]);
        platform
    }

    fn prepare(folder: TempDir, environment: Vec<(String, String)>, stack: Option<Stack>) -> Self {
        Self {
            folder,
            base: free_port_base(),
            processes: BTreeMap::new(),
            stack,
            environment,
            per_command: BTreeMap::new(),
        }
    }

    /// Starts servers with additional nats-server configuration, without migrations or roles. `per_command` returns the
    /// environment variables of each command.
    pub async fn with_nats_configuration(
        nats_configuration: String,
        per_command: impl Fn(&stack::Urls) -> BTreeMap<&'static str, Vec<(String, String)>>,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = Options { nats_configuration, ..Options::throwaway(folder.path().join("servers")) };
        let stack = Stack::start(options).await.expect("servers");
        let per_command = per_command(stack.urls());
        let environment = [
            ("ARGUSIQ_NATS__URL", stack.urls().nats.clone()),
            ("ARGUSIQ_POSTGRES__URL", stack.urls().postgres.clone()),
            ("ARGUSIQ_REDIS__URL", stack.urls().redis.clone()),
        ];
        let environment = environment.map(|(name, value)| (name.to_owned(), value)).to_vec();
        let mut platform = Self::prepare(folder, environment, Some(stack));
        platform.per_command = per_command;
        platform
    }

    /// Starts or restarts a role.
    pub fn start(&mut self, role: &'static str) {
        self.start_as(role, &[role], &[]);
    }

    /// Starts a process under the given name, with arguments and environment variables.
    pub fn start_as(&mut self, name: &'static str, arguments: &[&str], settings: &[(&str, &str)]) {
        let log = File::options().create(true).append(true).open(self.log_path(name)).unwrap();
        let mut command = self.command(arguments);
        command.envs(settings.iter().copied()).stdout(log.try_clone().unwrap()).stderr(log);
        self.processes.insert(name, command.spawn().expect("argusiq starts"));
    }

    /// Sends a process a signal, such as `STOP`.
    pub fn signal(&self, name: &str, signal: &str) {
        send(&self.processes[name], signal);
    }

    /// Sends a process SIGTERM; returns its exit status and how long it took to stop.
    pub fn stop(&mut self, name: &str) -> (ExitStatus, Duration) {
        self.signal(name, "TERM");
        let (began, mut child) = (Instant::now(), self.processes.remove(name).expect("a running process"));
        let status = wait_until("the process stops", Duration::from_secs(30), || {
            child.try_wait().unwrap().ok_or("still running")
        });
        (status, began.elapsed())
    }

    /// Waits for a process to exit; returns its exit status and its log.
    pub fn wait_for_exit(&mut self, name: &str) -> (ExitStatus, String) {
        let mut child = self.processes.remove(name).expect("a started process");
        let status = wait_until("the process ends", Duration::from_secs(40), || {
            child.try_wait().unwrap().ok_or("still running")
        });
        (status, self.log(name))
    }

    /// Runs a command that must succeed; returns its standard output.
    pub fn run(&self, arguments: &[&str]) -> String {
        self.run_with(arguments, &[])
    }

    /// Like [`Self::run`], with additional environment variables.
    pub fn run_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> String {
        let output = self.command(arguments).envs(environment.iter().copied()).output().expect("argusiq starts");
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{arguments:?} failed: {out}{err}");
        out.into_owned()
    }

    /// Kills a process with SIGKILL.
    pub fn kill(&mut self, role: &str) {
        let child = self.processes.get_mut(role).expect("a running role");
        child.kill().unwrap();
        child.wait().unwrap();
        self.processes.remove(role);
    }

    /// Returns a client signed in as the administrator.
    pub fn admin(&self) -> Api {
        Api::sign_in(&self.url(), EMAIL, PASSWORD)
    }

    /// Returns the URL of the API.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.base)
    }

    /// Returns the port of the MQTT listener.
    pub fn mqtt_port(&self) -> u16 {
        self.base + 1
    }

    /// Returns a process's log so far.
    pub fn log(&self, role: &str) -> String {
        fs::read_to_string(self.log_path(role)).unwrap_or_default()
    }

    /// Waits until the API's `/ready` succeeds. Panics at once if a process has ended.
    pub fn wait_until_ready(&mut self) {
        let address = format!("{}/ready", self.url());
        wait_until("the platform is ready", READY, || match ureq::get(&address).call() {
            Ok(_) => Ok(()),
            Err(error) => {
                self.assert_running();
                Err(error.to_string())
            }
        });
    }

    fn assert_running(&mut self) {
        let ended = self.processes.iter_mut().find_map(|(role, child)| Some((*role, child.try_wait().unwrap()?)));
        if let Some((role, status)) = ended {
            panic!("{role} ended with {status}:\n{}", self.log(role));
        }
    }

    /// Runs a command that must fail; returns its only error line.
    pub fn run_refused(&self, arguments: &[&str], environment: &[(&str, &str)]) -> String {
        let output = self.command(arguments).envs(environment.iter().copied()).output().expect("argusiq starts");
        crate::startup_errors::one_line(&output)
    }

    /// Runs `argusiq doctor`, whatever its outcome; returns its output lines.
    pub fn doctor_checks(&self, environment: &[(&str, &str)]) -> Vec<String> {
        let output = self.command(&["doctor"]).envs(environment.iter().copied()).output().expect("argusiq starts");
        String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_argusiq"));
        command
            .args(["--port-base", &self.base.to_string(), "--data-dir"])
            .arg(self.folder.path())
            .args(arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .envs(arguments.first().and_then(|role| self.per_command.get(role)).into_iter().flatten().cloned())
            .env("ARGUSIQ_ADMIN_EMAIL", EMAIL)
            .env("ARGUSIQ_ADMIN_PASSWORD", PASSWORD)
            .stdin(Stdio::null());
        for name in SETTINGS_OF_TESTS {
            command.env_remove(name);
        }
        command
    }

    fn log_path(&self, role: &str) -> PathBuf {
        self.folder.path().join(format!("{role}.log"))
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        for child in self.processes.values_mut() {
            send(child, "TERM");
            // A stopped process handles SIGTERM only after SIGCONT.
            send(child, "CONT");
        }
        for child in self.processes.values_mut() {
            let _ = child.wait();
        }
        if std::thread::panicking() {
            for role in self.processes.keys() {
                eprintln!("--- last lines of {role}'s log\n{}", last_lines(&self.log(role), 40));
            }
        }
    }
}

fn send(child: &Child, signal: &str) {
    let _ = Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status();
}

fn to_owned_pairs(settings: &[(&str, &str)]) -> Vec<(String, String)> {
    settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Returns the path of the simulator, which is built into the same folder as the platform.
pub fn simulator() -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_argusiq")).with_file_name("argusiq-simulator");
    assert!(path.exists(), "build the simulator first: cargo build -p simulator (make test does)");
    path
}

fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

/// Returns the first of `stack::ports::SPAN` consecutive free ports.
pub fn free_port_base() -> u16 {
    let mut base = stack::free_port();
    while !(base..base + stack::ports::SPAN).all(|port| std::net::TcpListener::bind(("127.0.0.1", port)).is_ok()) {
        base = stack::free_port();
    }
    base
}
