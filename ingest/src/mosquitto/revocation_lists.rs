//! Maintains the broker's revocation file: fetches every organisation's CRL from the API, writes them into one file and
//! signals the broker to reload it.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use certs::crl;
use domain::ids::OrganizationId;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::config::RevocationFile;
use crate::http_request::{self, send};

/// How old a fetched CRL may become: the API signs a new one every hour, valid for a day.
const MAX_AGE: Duration = Duration::from_secs(30 * 60);
/// Only a process with this name is signalled.
const BROKER_PROCESS: &str = "mosquitto";

/// Why the file could not be updated.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the request for a revocation list failed")]
    Ask(#[from] http_request::Error),
    #[error("the API answered {0} to the request for a revocation list")]
    Status(u16),
    #[error("failed to parse the API's revocation list")]
    Read(#[from] crl::ReadError),
    #[error("failed to write {path}")]
    Write { path: PathBuf, source: io::Error },
    #[error("{path} does not contain the process id of a running mosquitto")]
    Pid { path: PathBuf },
}

/// The CRLs as last fetched.
pub struct RevocationLists {
    file: RevocationFile,
    lists: HashMap<OrganizationId, List>,
    /// Whether the broker has loaded the current CRLs.
    delivered: bool,
}

struct List {
    pem: Vec<u8>,
    serials: HashSet<String>,
    fetched: Instant,
}

impl RevocationLists {
    /// Starts without CRLs.
    pub fn new(file: RevocationFile) -> Self {
        Self { file, lists: HashMap::new(), delivered: false }
    }

    /// Tells whether the CRL that the broker has loaded lists all these certificates.
    pub fn has(&self, organization: OrganizationId, serials: &BTreeSet<String>) -> bool {
        let list = self.lists.get(&organization).filter(|_| self.delivered);
        list.is_some_and(|list| serials.iter().all(|serial| list.serials.contains(serial)))
    }

    /// Fetches CRLs that are missing, old, or do not list one of these certificates, and delivers changes to the
    /// broker.
    pub async fn refresh(&mut self, wanted: &HashMap<OrganizationId, BTreeSet<String>>) -> Result<(), Error> {
        for (organization, serials) in wanted {
            let list = self.lists.get(organization);
            let fresh = list.is_some_and(|list| {
                list.fetched.elapsed() < MAX_AGE && serials.iter().all(|serial| list.serials.contains(serial))
            });
            if !fresh {
                let list = self.fetch(*organization).await?;
                let before = self.lists.insert(*organization, list);
                let same = before.is_some_and(|before| self.lists[organization].pem == before.pem);
                // An unchanged CRL does not require a reload.
                self.delivered &= same;
            }
        }
        if self.delivered {
            return Ok(());
        }
        self.write()?;
        signal(&self.file.pid_file)?;
        self.delivered = true;
        Ok(())
    }

    async fn fetch(&self, organization: OrganizationId) -> Result<List, Error> {
        let request = hyper::Request::get(format!("/pki/{organization}/crl.pem"));
        let (status, body) = send(&self.file.authority, request).await?;
        if status != 200 {
            return Err(Error::Status(status));
        }
        let serials = crl::serials(&body)?.iter().map(ToString::to_string).collect();
        Ok(List { pem: body.to_vec(), serials, fetched: Instant::now() })
    }

    /// Replaces the file atomically, so that the broker never reads a partial one.
    fn write(&self) -> Result<(), Error> {
        let path = &self.file.path;
        let mut of: Vec<_> = self.lists.iter().collect();
        // A fixed order, so that the same CRLs always yield the same file.
        of.sort_unstable_by_key(|(organization, _)| **organization);
        let pems: Vec<_> = of.into_iter().map(|(_, list)| list.pem.trim_ascii_end()).collect();
        let text = [pems.join(&b'\n'), vec![b'\n']].concat();
        let next = path.with_extension("next");
        let written = std::fs::write(&next, text).and_then(|()| std::fs::rename(&next, path));
        written.map_err(|source| Error::Write { path: path.clone(), source })
    }
}

/// Sends SIGHUP to the broker. The PID file may be stale, so the process name is checked first.
fn signal(pid_file: &Path) -> Result<(), Error> {
    let broker = || {
        let pid: i32 = std::fs::read_to_string(pid_file).ok()?.trim().parse().ok()?;
        let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
        (name.trim() == BROKER_PROCESS && kill(Pid::from_raw(pid), Signal::SIGHUP).is_ok()).then_some(())
    };
    broker().ok_or_else(|| Error::Pid { path: pid_file.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_mosquitto_process_is_signalled() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pid");
        assert!(matches!(signal(&path), Err(Error::Pid { .. })), "the PID file does not exist");
        // SIGHUP would end this test process.
        for text in [std::process::id().to_string(), "no number".to_owned(), "999999999".to_owned()] {
            std::fs::write(&path, text).unwrap();
            assert!(matches!(signal(&path), Err(Error::Pid { .. })));
        }
    }

    #[tokio::test]
    async fn a_list_that_cannot_be_fetched_is_not_delivered() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        let of = RevocationFile::new("http://127.0.0.1:1", file("revoked.pem"), file("pid")).unwrap();
        let (mut revocations, organization) = (RevocationLists::new(of), OrganizationId(uuid::Uuid::from_u128(1)));
        let wanted = HashMap::from([(organization, BTreeSet::new())]);
        assert!(matches!(revocations.refresh(&wanted).await, Err(Error::Ask(_))));
        assert!(!revocations.has(organization, &BTreeSet::new()));
        assert!(!file("revoked.pem").exists(), "the broker's file must stay unchanged");
    }
}
