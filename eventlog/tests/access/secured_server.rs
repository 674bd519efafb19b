//! A nats-server with TLS and passwords, configured with the generated users.

use std::path::{Path, PathBuf};

use eventlog::permissions::{self, Role};
use eventlog::{Credentials, Log, Settings, StreamSizes};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use stack::Server;
use stack::testing::TestStack;
use tempfile::TempDir;

pub const PASSWORD: &str = "correct-horse";

pub struct SecuredServer {
    pub stack: TestStack,
    pub folder: TempDir,
}

impl SecuredServer {
    pub async fn start() -> SecuredServer {
        let folder = tempfile::tempdir().unwrap();
        certificates(folder.path(), "server");
        certificates(folder.path(), "other");
        let file = |name: &str| folder.path().join(name).display().to_string();
        let tls = format!("tls {{ cert_file: \"{}\", key_file: \"{}\" }}\n", file("server.pem"), file("server.key"));
        let users = permissions::server_configuration_with(&Settings::new(""), PASSWORD);
        let configuration = tls + &users;
        let stack = TestStack::start(|options| stack::Options {
            nats_configuration: configuration,
            ..options.only(Server::Nats)
        });
        SecuredServer { stack: stack.await.unwrap(), folder }
    }

    pub fn settings(&self, role: Role) -> Settings {
        let mut settings = Settings::new(self.stack.urls().nats.clone()).with_sizes(StreamSizes::small());
        settings.credentials =
            Credentials { tls_ca_file: Some(self.ca("server")), ..Credentials::user(role.user(), PASSWORD) };
        settings
    }

    pub async fn log(&self, role: Role) -> Log {
        Log::connect(self.settings(role)).await.unwrap()
    }

    pub fn ca(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}-ca.pem"))
    }
}

/// Writes a CA and a server certificate for 127.0.0.1 issued by it.
fn certificates(folder: &Path, name: &str) {
    let mut authority = CertificateParams::new(Vec::<String>::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca_key = KeyPair::generate().unwrap();
    let ca = authority.self_signed(&ca_key).unwrap();
    let issuer = Issuer::new(authority, ca_key);
    let key = KeyPair::generate().unwrap();
    let server = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    std::fs::write(folder.join(format!("{name}-ca.pem")), ca.pem()).unwrap();
    std::fs::write(folder.join(format!("{name}.pem")), server.pem()).unwrap();
    std::fs::write(folder.join(format!("{name}.key")), key.serialize_pem()).unwrap();
}
