//! Creates a seal: audits the log, signs the result, writes the files.

use std::path::Path;

use certs::RootAuthority;
use eventlog::Log;
use eventlog::audit;

use crate::error::Error;
use crate::files::{self, Files};
use crate::statement::Seal;
use crate::{Clock, chain_ends};

/// Seals the log up to its present end, signed by the root authority, into `folder`. Errors when a hash chain is broken:
/// damage is never sealed.
pub async fn create(log: &Log, root: &RootAuthority, folder: &Path, clock: &Clock) -> Result<(Files, Seal), Error> {
    let positions = audit::ends(log).await?;
    let found = audit::audit(log, &positions).await?;
    if !found.breaks.is_empty() {
        return Err(Error::BrokenChains(found.breaks.len()));
    }
    let installation = log.installation().await.map_err(Error::Installation)?.ok_or(Error::NoInstallation)?;
    let (sealed_at, aggregates, merkle_root) = (clock(), found.ends.len(), found.root());
    let seal = Seal { installation, sealed_at, positions, aggregates, root: merkle_root };
    let text = seal.to_string();
    let signature = root.sign_statement(text.as_bytes()).map_err(Error::Sign)?;
    let files = Files::at(folder, sealed_at);
    std::fs::create_dir_all(folder).map_err(|source| Error::Write { path: folder.to_owned(), source })?;
    files::write(&files.ends, chain_ends::format(&found).as_bytes())?;
    files::write(&files.signature, &signature)?;
    // The statement is written last: once it exists, the seal is complete.
    files::write(&files.seal, text.as_bytes())?;
    Ok((files, seal))
}
