//! Reads a seal back and compares the log with it.

use std::path::Path;

use certs::signed_statement::is_signed_by;
use eventlog::audit;
use eventlog::{Log, Stream};

use crate::chain_ends::differences;
use crate::error::Error;
use crate::files::{Files, read};
use crate::statement::Seal;

/// Reads a `.seal` file. Errors when it is not signed by the owner of `root_certificate_pem`.
pub fn read_verified(path: &Path, root_certificate_pem: &str) -> Result<Seal, Error> {
    let files = Files::of(path);
    let (text, signature) = (read(&files.seal)?, read(&files.signature)?);
    if !is_signed_by(root_certificate_pem, &text, &signature) {
        return Err(Error::Signature(path.to_owned()));
    }
    let parsed = String::from_utf8_lossy(&text).parse();
    parsed.map_err(|source| Error::Syntax { path: path.to_owned(), source })
}

/// Audits the log up to the sealed positions; returns one line for each deviation, none when the log matches the seal.
/// Errors when the seal belongs to another installation.
pub async fn deviations(log: &Log, path: &Path, seal: &Seal) -> Result<Vec<String>, Error> {
    let found = log.installation().await.map_err(Error::Installation)?.unwrap_or_default();
    if found != seal.installation {
        return Err(Error::OtherInstallation { sealed: seal.installation.clone(), found });
    }
    let now = audit::audit(log, &seal.positions).await?;
    let truncated = |(stream, end): (&Stream, &u64)| format!("{stream} ends at {end}, before the sealed position");
    let mut deviations: Vec<String> = now.truncated.iter().map(truncated).collect();
    if now.root() != seal.root {
        // Without the file of chain ends the roots still differ; only the aggregates stay unnamed.
        let ends = std::fs::read_to_string(Files::of(path).ends);
        deviations.extend(ends.map(|ends| differences(&ends, &now)).unwrap_or_default());
        deviations.push(format!(
            "the log has {} aggregates with root {}; the seal has {} with root {}",
            now.ends.len(),
            now.root(),
            seal.aggregates,
            seal.root
        ));
    }
    Ok(deviations)
}
