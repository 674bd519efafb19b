//! All servers require TLS, NATS also a client certificate, and every role works. A server certificate from an unknown
//! CA is rejected.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};

use crate::clients;
use crate::device_to_screen::{assert_history_has_every_value, assert_latest_is_newest};
use crate::fixtures::{self, reading};
use crate::platform::{Platform, ROLES};
use crate::wait::wait_until;

/// PEM files: the CA, and one certificate that the servers and clients of this test share.
struct Files {
    authority: PathBuf,
    certificate: PathBuf,
    key: PathBuf,
    /// A CA that issued no certificate.
    unknown_authority: PathBuf,
}

impl Files {
    /// Creates the CA and the certificate.
    fn create(folder: &Path) -> Self {
        let authority = |name: &str| {
            let mut params = CertificateParams::default();
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            let key = KeyPair::generate().unwrap();
            let path = folder.join(name);
            fs::write(&path, params.self_signed(&key).unwrap().pem()).unwrap();
            (path, Issuer::new(params, key))
        };
        let (authority_file, issuer) = authority("authority.crt");
        let (unknown_authority, _) = authority("unknown.crt");
        let mut params = CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let own = KeyPair::generate().unwrap();
        let (certificate, key) = (folder.join("server.crt"), folder.join("server.key"));
        fs::write(&certificate, params.signed_by(&own, &issuer).unwrap().pem()).unwrap();
        fs::write(&key, own.serialize_pem()).unwrap();
        Self { authority: authority_file, certificate, key, unknown_authority }
    }

    /// Returns the TLS section of nats-server's configuration.
    fn nats_configuration(&self) -> String {
        let [certificate, key, authority] = [&self.certificate, &self.key, &self.authority].map(|path| path.display());
        format!("tls {{ cert_file: \"{certificate}\", key_file: \"{key}\", ca_file: \"{authority}\", verify: true }}")
    }

    /// Returns the environment variables of a command.
    fn settings(&self, urls: &stack::Urls, redis: u16) -> Vec<(String, String)> {
        let path = |path: &Path| path.display().to_string();
        let pairs = [
            ("ARGUSIQ_NATS__TLS_CA_FILE", path(&self.authority)),
            ("ARGUSIQ_NATS__TLS_CERTIFICATE_FILE", path(&self.certificate)),
            ("ARGUSIQ_NATS__TLS_KEY_FILE", path(&self.key)),
            ("ARGUSIQ_POSTGRES__URL", verified(&urls.postgres, &self.authority)),
            ("ARGUSIQ_REDIS__URL", format!("rediss://127.0.0.1:{redis}/")),
            ("ARGUSIQ_REDIS__TLS_CA_FILE", path(&self.authority)),
        ];
        pairs.map(|(name, value)| (name.to_owned(), value)).to_vec()
    }
}

/// Adds verification of the server certificate to a PostgreSQL URL.
fn verified(postgres: &str, authority: &Path) -> String {
    format!("{postgres}?sslmode=verify-full&sslrootcert={}", authority.display())
}

/// Makes PostgreSQL refuse connections without TLS.
async fn require_tls_in_postgres(url: &str, files: &Files) {
    // The server writes the files itself, because PostgreSQL accepts a key only if its own user owns it.
    let into = |name: &str, text: &str| {
        format!("COPY (SELECT 1) TO PROGRAM $$cat > /dev/null; umask 077; cat > {name} <<'EOF'\n{text}\nEOF\n$$")
    };
    let statements = [
        into("server.crt", &fs::read_to_string(&files.certificate).unwrap()),
        into("server.key", &fs::read_to_string(&files.key).unwrap()),
        into("pg_hba.conf", "hostssl all all 127.0.0.1/32 trust"),
        "ALTER SYSTEM SET ssl = on".to_owned(),
        "SELECT pg_reload_conf()".to_owned(),
    ];
    for statement in statements {
        stack::testing::sql(url, &statement).await.unwrap();
    }
    let runtime = tokio::runtime::Handle::current();
    tokio::task::block_in_place(|| {
        wait_until("PostgreSQL refuses connections without TLS", Duration::from_secs(10), || {
            match runtime.block_on(stack::testing::sql(url, "SELECT 1")) {
                Ok(rows) => Err(rows),
                Err(_) => Ok(()),
            }
        });
    });
}

/// Makes Redis refuse connections without TLS.
fn require_tls_in_redis(url: &str, port: u16, files: &Files) {
    let mut stream = TcpStream::connect(url.trim_start_matches("redis://").trim_end_matches('/')).unwrap();
    let [certificate, key, authority] = [&files.certificate, &files.key, &files.authority].map(|path| path.display());
    let command = format!(
        "CONFIG SET tls-cert-file {certificate} tls-key-file {key} tls-ca-cert-file {authority} tls-auth-clients no \
         tls-port {port} port 0\r\n"
    );
    stream.write_all(command.as_bytes()).unwrap();
    let mut answer = [0; 5];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"+OK\r\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_role_works_when_all_servers_require_tls() {
    let folder = tempfile::tempdir().unwrap();
    let files = Files::create(folder.path());
    let redis = stack::free_port();
    let commands = ROLES.into_iter().chain(["migrate", "replay", "doctor"]);
    let per_command =
        |urls: &stack::Urls| commands.clone().map(|command| (command, files.settings(urls, redis))).collect();
    let mut platform = Platform::with_nats_configuration(files.nats_configuration(), per_command).await;
    let urls = platform.stack.as_ref().unwrap().urls().clone();
    require_tls_in_postgres(&urls.postgres, &files).await;
    require_tls_in_redis(&urls.redis, redis, &files);
    tokio::task::block_in_place(|| {
        platform.run(&["migrate"]);
        ROLES.iter().for_each(|role| platform.start(role));
        platform.wait_until_ready();
        let api = platform.admin();
        let device = fixtures::device(&api, platform.folder.path(), "SN-1");
        let asset = fixtures::asset(&api, &device);
        let readings =
            [reading(50.0, -3000), reading(55.0, -2000), reading(90.0, -1000), reading(60.0, -500), reading(61.0, 0)];
        let sent = clients::paho(&device, platform.mqtt_port(), "5", &device.topic, &readings);
        assert_eq!(sent.acknowledged(), 5, "{sent:?}");
        assert_history_has_every_value(&api, &device.id, &asset);
        assert_latest_is_newest(&api, &device.id);
        let replayed = platform.run(&["replay", "projections", "--all"]);
        assert!(replayed.contains("equal") && !replayed.contains("DIFFERENT"), "{replayed}");
        assert_unknown_authority_is_rejected(&platform, &urls, &files);
    });
}

/// Asserts that `doctor` with another CA fails and names the affected server.
fn assert_unknown_authority_is_rejected(platform: &Platform, urls: &stack::Urls, files: &Files) {
    let unknown = files.unknown_authority.display().to_string();
    let checks = |settings: &[(&str, &str)]| {
        let lines = platform.doctor_checks(settings);
        lines.into_iter().filter(|line| line.starts_with("FAIL")).collect::<Vec<_>>()
    };
    assert_eq!(checks(&[]), Vec::<String>::new());
    let failed = checks(&[("ARGUSIQ_NATS__TLS_CA_FILE", &unknown)]);
    assert!(failed[0].contains("nats.tls_ca_file"), "{failed:?}");
    let failed = checks(&[("ARGUSIQ_REDIS__TLS_CA_FILE", &unknown)]);
    assert!(failed.len() == 1 && failed[0].contains("read models") && failed[0].contains("ertificate"), "{failed:?}");
    let failed = checks(&[("ARGUSIQ_POSTGRES__URL", &verified(&urls.postgres, &files.unknown_authority))]);
    assert!(failed.len() == 1 && failed[0].contains("database") && failed[0].contains("ertificate"), "{failed:?}");
    let failed = checks(&[("ARGUSIQ_REDIS__URL", "redis://127.0.0.1:1/")]);
    assert!(failed[0].contains("redis.url must begin with rediss://"), "{failed:?}");
}
