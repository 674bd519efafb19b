//! The key folder of an installation (`argusiq ca init`): master key, root CA and the server's certificate.
//!
//! ```text
//! master.key         base64, 0600; absent if the master key is supplied externally
//! root.key.sealed    the root CA: certificate and sealed key, JSON, 0600
//! root.crt           a copy of the root certificate, for devices
//! server.key         0600
//! server.crt
//! ```

use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use chrono::{DateTime, TimeDelta, Utc};
use rcgen::PublicKeyData;

use crate::ca::{SealedAuthority, pem_to_der};
use crate::master_key::{self, MasterKey};
use crate::private_key_pem::PrivateKeyPem;
use crate::root_ca::RootAuthority;
use crate::server_names::{self, ServerNames};
use crate::{atomic_file, error, identity};

/// Validity of a server certificate, and how long before its end it is replaced.
const SERVER_DAYS: u32 = 365;
const RENEW_BEFORE: TimeDelta = TimeDelta::days(30);

/// An opened folder: everything a process needs to issue certificates and to serve TLS.
#[derive(Debug)]
pub struct KeyFolder {
    /// The master key.
    pub master: MasterKey,
    /// The root CA.
    pub root: RootAuthority,
    /// The server's certificate, PEM.
    pub server_certificate_pem: String,
    /// The server's key.
    pub server_private_key_pem: PrivateKeyPem,
}

/// The three files that a TLS listener needs; a process can be given these without the signing keys.
#[derive(Clone, Debug)]
pub struct ServerFiles {
    /// The root certificate, PEM: the trust anchor for device certificates.
    pub root_certificate_pem: String,
    /// The server's certificate, PEM.
    pub server_certificate_pem: String,
    /// The server's key.
    pub server_private_key_pem: PrivateKeyPem,
}

/// What [`init_key_folder`] found and did.
#[derive(Debug)]
pub struct InitializedKeyFolder {
    /// The opened folder.
    pub folder: KeyFolder,
    /// A master key was generated and written.
    pub master_key_created: bool,
    /// A root CA was created.
    pub root_created: bool,
    /// Why a server certificate was issued; `None` if the existing one was kept.
    pub server_issued: Option<&'static str>,
}

/// Why the folder cannot be created or opened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read.
    #[error("cannot read {}", .0.display())]
    Read(PathBuf, #[source] io::Error),
    /// A file cannot be written.
    #[error("cannot write {}", .0.display())]
    Write(PathBuf, #[source] io::Error),
    /// The sealed root is not JSON of the expected shape.
    #[error("{} does not contain a sealed CA", .0.display())]
    SealedRoot(PathBuf, #[source] serde_json::Error),
    /// `root.crt` is not the certificate of the sealed root CA.
    #[error("{} is not the certificate of the sealed root CA beside it", .0.display())]
    OtherRoot(PathBuf),
    /// A sealed root CA exists, but no master key to open it.
    #[error(
        "{} is sealed, but there is no master key: put it into {} or supply it in the environment",
        root.display(), key.display()
    )]
    MasterKeyMissing {
        /// The sealed root.
        root: PathBuf,
        /// The expected path of the key.
        key: PathBuf,
    },
    /// The master key cannot be read or created.
    #[error("cannot use the master key")]
    MasterKey(#[source] master_key::Error),
    /// The names cannot be certified.
    #[error("the server's names cannot be used")]
    ServerNames(#[source] server_names::Error),
    /// Issuing or opening failed.
    #[error("the root CA cannot be used")]
    Authority(#[source] error::Error),
}

/// Creates whatever is missing in the folder and keeps what exists. A second run changes nothing unless the server's
/// names changed or its certificate expires within 30 days. `master` is an externally supplied master key; without it
/// the folder's own key is used, and created if there is no root CA yet. Concurrent runs are safe: a lock on the folder
/// serialises them. Only the server's certificate and key are ever overwritten.
pub fn init_key_folder<T: AsRef<str>>(
    dir: &Path,
    server_names: impl IntoIterator<Item = T>,
    master: Option<MasterKey>,
    now: DateTime<Utc>,
) -> Result<InitializedKeyFolder, Error> {
    let names = ServerNames::parse(server_names).map_err(Error::ServerNames)?;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|error| Error::Write(dir.to_owned(), error))?;
    let _locked = atomic_file::lock(dir).map_err(|error| Error::Write(dir.to_owned(), error))?;
    let (master, master_key_created) = ensure_master_key(dir, master)?;
    let (root, root_created) = ensure_root(dir, &master, now)?;
    let server_issued = ensure_server(dir, &root, &names, now)?;
    let folder = read_server(dir, master, root)?;
    Ok(InitializedKeyFolder { folder, master_key_created, root_created, server_issued })
}

/// Opens a folder that [`init_key_folder`] created, without changing it.
pub fn open_key_folder(dir: &Path, master: Option<MasterKey>) -> Result<KeyFolder, Error> {
    let master = match master {
        Some(master) => master,
        None => MasterKey::from_file(&dir.join("master.key")).map_err(Error::MasterKey)?,
    };
    let root = read_root(dir, &master)?;
    read_server(dir, master, root)
}

/// Reads the files that a device listener needs, none of which can sign certificates or decrypt other keys.
pub fn read_server_files(dir: &Path) -> Result<ServerFiles, Error> {
    Ok(ServerFiles {
        root_certificate_pem: read(&dir.join("root.crt"))?,
        server_certificate_pem: read(&dir.join("server.crt"))?,
        server_private_key_pem: PrivateKeyPem::new(read(&dir.join("server.key"))?),
    })
}

fn ensure_master_key(dir: &Path, given: Option<MasterKey>) -> Result<(MasterKey, bool), Error> {
    if let Some(master) = given {
        return Ok((master, false));
    }
    let (key, root) = (dir.join("master.key"), dir.join("root.key.sealed"));
    if !key.exists() {
        // A new master key could not open the existing root CA.
        if root.exists() {
            return Err(Error::MasterKeyMissing { root, key });
        }
        return Ok((MasterKey::create_file(&key).map_err(Error::MasterKey)?, true));
    }
    Ok((MasterKey::from_file(&key).map_err(Error::MasterKey)?, false))
}

fn ensure_root(dir: &Path, master: &MasterKey, now: DateTime<Utc>) -> Result<(RootAuthority, bool), Error> {
    let path = dir.join("root.key.sealed");
    let mut created = false;
    if !path.exists() {
        let root = RootAuthority::create("Argusiq root CA", now).map_err(Error::Authority)?;
        let sealed = root.seal(master).map_err(Error::Authority)?;
        let text = serde_json::to_vec_pretty(&sealed).map_err(|error| Error::SealedRoot(path.clone(), error))?;
        created = create_if_absent(&path, &text, 0o600)?;
    }
    let root = read_root(dir, master)?;
    let beside = dir.join("root.crt");
    // A complete folder may be mounted read-only, so write only if the file is missing.
    if !beside.exists() {
        create_if_absent(&beside, root.certificate_pem().as_bytes(), 0o644)?;
    }
    if read(&beside)?.trim() != root.certificate_pem().trim() {
        return Err(Error::OtherRoot(beside));
    }
    Ok((root, created))
}

fn create_if_absent(path: &Path, content: &[u8], mode: u32) -> Result<bool, Error> {
    match atomic_file::create(path, content, mode) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(Error::Write(path.to_owned(), error)),
    }
}

fn ensure_server(
    dir: &Path,
    root: &RootAuthority,
    names: &ServerNames,
    now: DateTime<Utc>,
) -> Result<Option<&'static str>, Error> {
    // A crash between the two writes leaves a key that does not match the certificate; the next run then issues both.
    let (certificate, key) = (dir.join("server.crt"), dir.join("server.key"));
    let reason = if certificate.exists() && key.exists() {
        reason_to_reissue(&read(&certificate)?, &read(&key)?, root, names, now)
    } else {
        Some("none existed")
    };
    if reason.is_some() {
        let issued = root.issue_server_certificate(names, SERVER_DAYS, now).map_err(Error::Authority)?;
        replace(&key, issued.private_key_pem.expose().as_bytes(), 0o600)?;
        replace(&certificate, issued.certificate_pem.as_bytes(), 0o644)?;
    }
    Ok(reason)
}

fn replace(path: &Path, content: &[u8], mode: u32) -> Result<(), Error> {
    atomic_file::replace(path, content, mode).map_err(|error| Error::Write(path.to_owned(), error))
}

fn reason_to_reissue(
    certificate_pem: &str,
    key_pem: &str,
    root: &RootAuthority,
    names: &ServerNames,
    now: DateTime<Utc>,
) -> Option<&'static str> {
    let Ok(der) = pem_to_der(certificate_pem) else { return Some("it could not be read") };
    let (Ok(certificate), Ok(issuer)) = (identity::parse(&der), identity::parse(root.certificate())) else {
        return Some("it could not be read");
    };
    let Ok((_, not_after)) = identity::validity(&certificate) else { return Some("it could not be read") };
    let key_fits = rcgen::KeyPair::from_pem(key_pem)
        .is_ok_and(|key| key.subject_public_key_info() == certificate.public_key().raw);
    if !key_fits {
        Some("its key did not match")
    } else if identity::check_signature(&certificate, &issuer, "server certificate", "root CA").is_err() {
        Some("another root CA had signed it")
    } else if not_after - now < RENEW_BEFORE {
        Some("it expires within 30 days")
    } else if ServerNames::of_certificate(&der).as_ref() != Some(names) {
        Some("the server's names changed")
    } else {
        None
    }
}

fn read_root(dir: &Path, master: &MasterKey) -> Result<RootAuthority, Error> {
    let path = dir.join("root.key.sealed");
    let sealed: SealedAuthority =
        serde_json::from_str(&read(&path)?).map_err(|error| Error::SealedRoot(path.clone(), error))?;
    sealed.open_root(master).map_err(Error::Authority)
}

fn read_server(dir: &Path, master: MasterKey, root: RootAuthority) -> Result<KeyFolder, Error> {
    Ok(KeyFolder {
        master,
        root,
        server_certificate_pem: read(&dir.join("server.crt"))?,
        server_private_key_pem: PrivateKeyPem::new(read(&dir.join("server.key"))?),
    })
}

fn read(path: &Path) -> Result<String, Error> {
    std::fs::read_to_string(path).map_err(|error| Error::Read(path.to_owned(), error))
}
