//! Rebuilding read models from the log, and proving the result equal. This is the plain form: one read model after the
//! other is stopped, emptied, and folded again from the first message that the log holds; while that lasts, its readers
//! see a part. What does not live here: the folds themselves, and shadow tables, which do not exist yet.
//!
//! What the log no longer holds cannot come back. The streams of telemetry, threshold events and presence are kept for
//! a time only, so that a read model which reads one of them is not rebuilt once that stream was trimmed, unless it is
//! wished: it then begins with the first message that is left, and what it knew from before is gone.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod error;
mod progress;
mod rebuild;

use eventlog::error_chain;
use std::collections::BTreeMap;

use projections::{Deps, registry};
use serde::Serialize;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

pub use error::Error;
pub use progress::{Phase, Progress};

/// How to rebuild.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Rebuild also what the log no longer holds completely, and lose what is gone.
    pub accept_trimmed: bool,
}

/// A read model that was rebuilt.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rebuilt {
    /// Its name.
    pub name: String,
    /// What it held when it had read as far as was then rebuilt; absent where its checkpoint did not fit the log.
    pub before: Option<BTreeMap<String, String>>,
    /// What it holds now, by table or view.
    pub after: BTreeMap<String, String>,
    /// Positions of the log that it was rebuilt to, all streams together.
    pub positions: u64,
    /// How long the rebuilding took.
    pub seconds: f64,
    /// Why it was left as it is, where it was: the log no longer holds everything that it knows.
    pub kept: Option<String>,
}

impl Rebuilt {
    /// Tells whether it is what it was.
    pub fn is_equal(&self) -> bool {
        self.before.as_ref() == Some(&self.after)
    }

    /// Lists the tables and views that are not what they were.
    pub fn differences(&self) -> Vec<&str> {
        let before = |label: &String| self.before.as_ref().and_then(|before| before.get(label));
        self.after.iter().filter(|(label, now)| before(label) != Some(*now)).map(|(label, _)| label.as_str()).collect()
    }
}

/// Rebuilds read models of these names, or all. Processes that run them give way and take over again afterwards. With
/// all, what the log no longer holds completely is left as it is and says so; asked for by name, it is an error.
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
                warn!(projection = entry.name, error = error_chain(&error), "left as it is");
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
