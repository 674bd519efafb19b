//! The platform as a user starts it: `argusiq up`, or each role as a process of its own beside servers of the test.
//! What does not live here: what is done with it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use stack::{Options, Stack};
use tempfile::TempDir;

use crate::api_client::Api;
use crate::wait::wait_until;

/// The administrator of every test platform.
pub const EMAIL: &str = "admin@argusiq.test";
/// The administrator's password.
pub const PASSWORD: &str = "correct horse battery staple";

const READY: Duration = Duration::from_secs(90);

/// The roles that can run as processes of their own.
pub const ROLES: [&str; 4] = ["api", "ingest", "process", "project"];

/// A running platform, ended with the test.
pub struct Platform {
    pub folder: TempDir,
    pub base: u16,
    pub processes: BTreeMap<&'static str, Child>,
    pub stack: Option<Stack>,
    environment: Vec<(String, String)>,
    /// What single commands find in their environment instead.
    own: BTreeMap<&'static str, Vec<(String, String)>>,
}

impl Platform {
    /// Starts `argusiq up`.
    pub fn up() -> Self {
        Self::up_with(&[])
    }

    /// The same with more in the environment.
    pub fn up_with(settings: &[(&str, &str)]) -> Self {
        let mut platform = Self::prepare(tempfile::tempdir().unwrap(), owned(settings), None);
        platform.start("up");
        platform.wait_until_ready();
        platform
    }

    /// Starts servers in this process and each role as a process.
    pub async fn separate_roles() -> Self {
        Self::separate_roles_with(&[]).await
    }

    /// The same with more in the environment.
    pub async fn separate_roles_with(settings: &[(&str, &str)]) -> Self {
        let mut platform = Self::servers_with(settings).await;
        ROLES.iter().for_each(|role| platform.start(role));
        tokio::task::block_in_place(|| platform.wait_until_ready());
        platform
    }

    /// Starts servers in this process, and no role yet.
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
        environment.extend(owned(settings));
        let platform = Self::prepare(folder, environment, Some(stack));
        platform.run(&["migrate"]);
        platform
    }

    fn prepare(folder: TempDir, environment: Vec<(String, String)>, stack: Option<Stack>) -> Self {
        Self { folder, base: free_port_base(), processes: BTreeMap::new(), stack, environment, own: BTreeMap::new() }
    }

    /// Servers of the test's own with a configuration of nats-server's, and nothing of the platform yet; `own` is what
    /// single commands find in their environment.
    pub async fn with_nats_configuration(
        nats_configuration: String,
        own: impl Fn(&stack::Urls) -> BTreeMap<&'static str, Vec<(String, String)>>,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = Options { nats_configuration, ..Options::throwaway(folder.path().join("servers")) };
        let stack = Stack::start(options).await.expect("servers");
        let own = own(stack.urls());
        let environment = [
            ("ARGUSIQ_NATS__URL", stack.urls().nats.clone()),
            ("ARGUSIQ_POSTGRES__URL", stack.urls().postgres.clone()),
            ("ARGUSIQ_REDIS__URL", stack.urls().redis.clone()),
        ];
        let environment = environment.map(|(name, value)| (name.to_owned(), value)).to_vec();
        let mut platform = Self::prepare(folder, environment, Some(stack));
        platform.own = own;
        platform
    }

    /// Starts a role, or starts it again.
    pub fn start(&mut self, role: &'static str) {
        self.start_as(role, &[role], &[]);
    }

    /// Starts one of several processes under a name of its own, with settings of its own.
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

    /// Asks a process to stop, and answers how it ended and after how long.
    pub fn stop(&mut self, name: &str) -> (ExitStatus, Duration) {
        self.signal(name, "TERM");
        let (began, mut child) = (Instant::now(), self.processes.remove(name).expect("a running process"));
        let status = wait_until("it stops", Duration::from_secs(30), || child.try_wait().unwrap().ok_or("it runs"));
        (status, began.elapsed())
    }

    /// Waits for a process that ends by itself, and answers how and with which log.
    pub fn wait_for_exit(&mut self, name: &str) -> (ExitStatus, String) {
        let mut child = self.processes.remove(name).expect("a started process");
        let status = wait_until("it ends", Duration::from_secs(40), || child.try_wait().unwrap().ok_or("it runs"));
        (status, self.log(name))
    }

    /// Runs a command to its end and answers what it printed; fails when it fails.
    pub fn run(&self, arguments: &[&str]) -> String {
        self.run_with(arguments, &[])
    }

    /// The same with more in its environment.
    pub fn run_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> String {
        let output = self.command(arguments).envs(environment.iter().copied()).output().expect("argusiq starts");
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{arguments:?} failed: {out}{err}");
        out.into_owned()
    }

    /// Ends a role as a power cut would.
    pub fn kill(&mut self, role: &str) {
        let child = self.processes.get_mut(role).expect("a running role");
        child.kill().unwrap();
        child.wait().unwrap();
        self.processes.remove(role);
    }

    /// Signs the administrator in.
    pub fn admin(&self) -> Api {
        Api::sign_in(&self.url(), EMAIL, PASSWORD)
    }

    /// Address of the API.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.base)
    }

    /// Port of the devices' door.
    pub fn mqtt_port(&self) -> u16 {
        self.base + 1
    }

    /// What a role has logged.
    pub fn log(&self, role: &str) -> String {
        fs::read_to_string(self.log_path(role)).unwrap_or_default()
    }

    /// Waits until the API says that everything is there.
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

    /// Runs a command that must fail; answers the one line it said.
    pub fn run_refused(&self, arguments: &[&str], environment: &[(&str, &str)]) -> String {
        let output = self.command(arguments).envs(environment.iter().copied()).output().expect("argusiq starts");
        crate::startup_errors::one_line(&output)
    }

    /// What `argusiq doctor` finds, a line for each check.
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
            .envs(arguments.first().and_then(|role| self.own.get(role)).into_iter().flatten().cloned())
            .env("ARGUSIQ_ADMIN_EMAIL", EMAIL)
            .env("ARGUSIQ_ADMIN_PASSWORD", PASSWORD)
            .env_remove("ARGUSIQ_TEST_STACK")
            .stdin(Stdio::null());
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
            // One that stands still hears nothing else.
            send(child, "CONT");
        }
        for child in self.processes.values_mut() {
            let _ = child.wait();
        }
        if std::thread::panicking() {
            for role in self.processes.keys() {
                eprintln!("--- the end of {role}'s log\n{}", last_lines(&self.log(role), 40));
            }
        }
    }
}

fn send(child: &Child, signal: &str) {
    let _ = Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status();
}

fn owned(settings: &[(&str, &str)]) -> Vec<(String, String)> {
    settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The simulator, which is built beside the platform.
pub fn simulator() -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_argusiq")).with_file_name("argusiq-simulator");
    assert!(path.exists(), "build the simulator first: cargo build -p simulator (make test does)");
    path
}

fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

/// The first of six free ports in a row.
pub fn free_port_base() -> u16 {
    let mut base = stack::free_port();
    while !(base..base + stack::ports::SPAN).all(|port| std::net::TcpListener::bind(("127.0.0.1", port)).is_ok()) {
        base = stack::free_port();
    }
    base
}
