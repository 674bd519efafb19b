//! The three files of a seal, and their names.

use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDate, Utc};

use crate::error::Error;

/// Paths of the three files of a seal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// The signed statement, text.
    pub seal: PathBuf,
    /// The signature of the statement, DER.
    pub signature: PathBuf,
    /// The end of every hash chain: one line `<subject> <version> <digest>` per aggregate.
    pub ends: PathBuf,
}

impl Files {
    /// Returns the files that belong to a `.seal` file.
    pub fn of(seal: &Path) -> Self {
        Self { seal: seal.to_owned(), signature: seal.with_extension("sig"), ends: seal.with_extension("ends") }
    }

    /// Returns the files of a seal created at this time.
    pub fn at(folder: &Path, sealed_at: DateTime<Utc>) -> Self {
        Self::of(&folder.join(format!("{}.seal", sealed_at.format("%Y%m%dT%H%M%SZ"))))
    }
}

/// Tells whether a folder contains a seal of this day (UTC), whichever process created it.
pub(crate) fn is_sealed(folder: &Path, day: NaiveDate) -> bool {
    let day = day.format("%Y%m%dT").to_string();
    let names = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name());
    names.into_iter().any(|name| name.to_str().is_some_and(|name| name.starts_with(&day) && name.ends_with(".seal")))
}

/// Reads a file; the error names it.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|source| Error::Read { path: path.to_owned(), source })
}

/// Writes a file; the error names it.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    std::fs::write(path, bytes).map_err(|source| Error::Write { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_seal_file_of_the_day_counts_as_sealed() {
        let folder = tempfile::tempdir().unwrap();
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        assert!(!is_sealed(&folder.path().join("nowhere"), day("2026-11-25")));
        write(&folder.path().join("20261125T000001Z.ends"), b"").unwrap();
        assert!(!is_sealed(folder.path(), day("2026-11-25")));
        write(&folder.path().join("20261125T000001Z.seal"), b"").unwrap();
        assert!(is_sealed(folder.path(), day("2026-11-25")));
        assert!(!is_sealed(folder.path(), day("2026-11-26")));
    }

    #[test]
    fn an_error_names_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing/file");
        let name = missing.display().to_string();
        assert_eq!(read(&missing).unwrap_err().to_string(), format!("cannot read {name}"));
        assert_eq!(write(&missing, b"").unwrap_err().to_string(), format!("cannot write {name}"));
    }
}
