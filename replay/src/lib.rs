//! Rebuilds read models from the log and verifies that the result is equal. One read model after the other is stopped,
//! emptied, and folded again from the first message that the log holds. Meanwhile its readers see partial data: there
//! are no shadow tables yet. The folds are in `projections`.
//!
//! What the log no longer holds cannot be rebuilt. The streams of telemetry, threshold events and presence are trimmed
//! by age, so a read model that reads a trimmed stream is rebuilt only with `accept_trimmed`: it then starts at the
//! first message that is left, and loses what it held from before.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod error;
mod progress;
mod rebuild;

use std::collections::BTreeMap;

use eventlog::error_chain;
use projections::{Deps, registry};
use serde::Serialize;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

pub use error::Error;
pub use progress::{Phase, Progress};

/// How to rebuild.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Rebuild even if the log has been trimmed, and lose what it no longer holds.
    pub accept_trimmed: bool,
}

/// The result of rebuilding one read model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rebuilt {
    /// Its name.
    pub name: String,
    /// Its digests before the rebuild, by table or view, at the same positions; absent if its checkpoint did not fit
    /// the log.
    pub before: Option<BTreeMap<String, String>>,
    /// Its digests after the rebuild, by table or view.
    pub after: BTreeMap<String, String>,
    /// The sum of the stream positions that it was rebuilt to.
    pub positions: u64,
    /// How long the rebuild took.
    pub seconds: f64,
    /// Why it was not rebuilt, if so: the log no longer holds everything that it holds.
    pub kept: Option<String>,
}

impl Rebuilt {
    /// Returns whether the rebuilt content equals the content before.
    pub fn is_equal(&self) -> bool {
        self.before.as_ref() == Some(&self.after)
    }

    /// Lists the tables and views whose content differs.
    pub fn differences(&self) -> Vec<&str> {
        let before = |label: &String| self.before.as_ref().and_then(|before| before.get(label));
        self.after.iter().filter(|(label, now)| before(label) != Some(*now)).map(|(label, _)| label.as_str()).collect()
    }
}

/// Rebuilds the read models with these names, or all. Processes that run them stop and take over again afterwards. A
/// read model whose stream has been trimmed is skipped with a warning if all are rebuilt, and an error if named.
pub async fn run(
    deps: &Deps,
    names: Option<&[String]>,
    options: Options,
    mut progress: impl FnMut(Progress) + Send,
    shutdown: CancellationToken,
) -> Result<Vec<Rebuilt>, Error> {
    let mut rebuilt = Vec::new();
    for entry in registry::select(names)? {
        match rebuild::rebuild(deps, entry, options, &mut progress, &shutdown).await {
            Err(error @ Error::Trimmed { .. }) if names.is_none() => {
                warn!(projection = entry.name, error = error_chain(&error), "not rebuilt: the log has been trimmed");
                rebuilt.push(kept(entry.name, &error));
            }
            one => {
                let one = one?;
                info!(projection = one.name, equal = one.is_equal(), seconds = one.seconds, "rebuilt");
                rebuilt.push(one);
            }
        }
    }
    Ok(rebuilt)
}

fn kept(name: &str, reason: &Error) -> Rebuilt {
    Rebuilt {
        name: name.to_owned(),
        before: Some(BTreeMap::new()),
        after: BTreeMap::new(),
        positions: 0,
        seconds: 0.0,
        kept: Some(reason.to_string()),
    }
}
