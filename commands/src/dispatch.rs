//! The dispatcher: load, decide, append; retry after a conflict; return the same receipt for the same command id.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use domain::ids::OrganizationId;
use eventlog::Stream;
use eventlog::store::{Appended, Loaded};
use uuid::Uuid;

use crate::commands::Commands;
use crate::context::{CommandContext, Receipt};
use crate::error::Error;
use crate::executable::{Executable, Job, Key};
use crate::reference::Reference;

/// Longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_millis(250);
/// Retries after conflicts before giving up with [`Error::Conflict`]: about ten seconds of contention.
const MOST_CONFLICTS: usize = 60;

/// Options of one attempt.
#[derive(Clone, Copy)]
struct Try<'c> {
    /// The versions of which the aggregate must be at one.
    expected: Option<&'c [u64]>,
    /// Whether to bypass the cache and load the aggregate from the log's leader.
    fresh: bool,
}

/// The outcome of one attempt.
enum Attempt {
    Done(Receipt),
    /// A possibly stale state would refuse or change nothing: retry with a fresh one.
    Reread,
    Conflict,
}

impl Commands {
    /// Executes a command on an aggregate of the context's organisation and stores the resulting events as one message.
    /// A repeated command id returns the first receipt, marked `repeated`. A command that changes nothing stores
    /// nothing.
    pub async fn execute<A: Executable>(
        &self,
        context: &CommandContext,
        id: Uuid,
        command: A::Command,
    ) -> Result<Receipt, Error<A::Error>> {
        self.execute_at::<A>(context, id, command, None).await
    }

    /// Executes a command on an aggregate that must be at one of the versions `expected`; otherwise returns
    /// [`Error::Stale`], unless the command is a repeat. Of several such concurrent commands exactly one is stored.
    pub async fn execute_at<A: Executable>(
        &self,
        context: &CommandContext,
        id: Uuid,
        command: A::Command,
        expected: Option<Vec<u64>>,
    ) -> Result<Receipt, Error<A::Error>> {
        A::execute(self, Job { context, id, command, expected }).await
    }

    /// Executes a command. Called through [`Executable::execute`], which compiles it once for each aggregate.
    pub(crate) async fn dispatch<A: Executable>(&self, job: Job<'_, A>) -> Result<Receipt, Error<A::Error>> {
        let Job { context, id, command, expected } = job;
        let references = A::references(id, &command);
        let mut pauses = pauses();
        let mut fresh = false;
        loop {
            let this = Try { expected: expected.as_deref(), fresh };
            match self.attempt::<A>(context, id, command.clone(), &references, this).await? {
                Attempt::Done(receipt) => return Ok(receipt),
                Attempt::Reread => {}
                Attempt::Conflict => match pauses.next() {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => return Err(Error::Conflict),
                },
            }
            // Both other outcomes mean that the cached state may be outdated.
            fresh = true;
        }
    }

    /// Loads an aggregate with its version from the log's leader; `None` if it has no events.
    pub async fn load<A: Executable>(&self, organization: OrganizationId, id: Uuid) -> Result<Option<(A, u64)>, Error> {
        let loaded = self.load_fresh::<A>(organization, id).await?;
        Ok(loaded.exists().then_some((loaded.state, loaded.version)))
    }

    /// Loads an aggregate from the cache, which may lack events that another process has just stored. A state that does
    /// not meet `expected` is loaded again from the log's leader.
    pub(crate) async fn load_cached<A: Executable>(
        &self,
        organization: OrganizationId,
        id: Uuid,
        expected: impl FnOnce(&A) -> bool,
    ) -> Result<A, Error> {
        Ok(self.load_cached_with_version(organization, id, expected).await?.state)
    }

    /// Loads like [`Commands::load_cached`], but returns the version and log position too.
    pub(crate) async fn load_cached_with_version<A: Executable>(
        &self,
        organization: OrganizationId,
        id: Uuid,
        expected: impl FnOnce(&A) -> bool,
    ) -> Result<Loaded<A>, Error> {
        let known = A::load(self, Key { organization, id }, false).await?;
        if expected(&known.state) { Ok(known) } else { self.load_fresh(organization, id).await }
    }

    /// Loads an aggregate from the log's leader, bypassing the cache; an aggregate without events is its default.
    pub(crate) async fn load_fresh<A: Executable>(
        &self,
        organization: OrganizationId,
        id: Uuid,
    ) -> Result<Loaded<A>, Error> {
        A::load(self, Key { organization, id }, true).await
    }

    /// Loads an aggregate. Called through [`Executable::load`], which compiles it once for each aggregate.
    pub(crate) async fn load_from_store<A: Executable>(&self, key: Key, fresh: bool) -> Result<Loaded<A>, Error> {
        let store = A::store(&self.inner.stores);
        let (organization, id) = (key.organization.to_string(), key.id.to_string());
        Ok(if fresh { store.load_fresh(&organization, &id).await? } else { store.load(&organization, &id).await? })
    }

    async fn attempt<A: Executable>(
        &self,
        context: &CommandContext,
        id: Uuid,
        command: A::Command,
        references: &[Reference],
        Try { expected, fresh }: Try<'_>,
    ) -> Result<Attempt, Error<A::Error>> {
        let store = A::store(&self.inner.stores);
        let (organization, id) = (context.organization.to_string(), id.to_string());
        let loaded = match fresh {
            true => store.load_fresh(&organization, &id).await?,
            false => store.load(&organization, &id).await?,
        };
        if let Some(receipt) = recent_receipt(&loaded, context.command_id) {
            return Ok(Attempt::Done(receipt));
        }
        // A stale version is not refused at once: the search below may find that this command is a repeat.
        let stale = loaded.exists() && expected.is_some_and(|versions| !versions.contains(&loaded.version));
        let decision = if stale { Ok(vec![]) } else { loaded.state.decide_on(command) };
        let refusal = match decision {
            Ok(_) if stale => Some(Error::Stale { present: loaded.version }),
            // Only events that would be stored need their references: a command that changes nothing cannot break one.
            Ok(events) if !events.is_empty() => {
                match self.first_missing(context.organization, references).await.map_err(Error::widen)? {
                    None => return self.append(loaded, events, context).await,
                    Some(reference) => Some(Error::Missing(reference)),
                }
            }
            Ok(_) => None,
            Err(refusal) => Some(Error::Refused(refusal)),
        };
        if !fresh {
            return Ok(Attempt::Reread);
        }
        // A cached aggregate remembers its last REMEMBERED_COMMANDS command ids. Each stored command has at least one
        // event, so up to that version none is forgotten; beyond it, only the log can tell whether this command is a
        // repeat.
        if loaded.version > A::REMEMBERED_COMMANDS as u64
            && let Some(stored) = store.find_command(&organization, &id, &context.command_id.to_string()).await?
        {
            return Ok(Attempt::Done(receipt(loaded.key().stream(), &stored)));
        }
        match refusal {
            Some(refusal) => Err(refusal),
            None => Ok(Attempt::Done(unchanged(&loaded))),
        }
    }

    async fn append<A: Executable>(
        &self,
        loaded: Loaded<A>,
        events: Vec<A::Event>,
        context: &CommandContext,
    ) -> Result<Attempt, Error<A::Error>> {
        let stream = loaded.key().stream();
        let metadata = context.metadata(self.now()).to_map();
        match A::store(&self.inner.stores).append(loaded, events, metadata).await {
            Ok(appended) => {
                // The feed announces it as well, once it has read the event back.
                self.inner.access_changes.announce(A::TYPE);
                Ok(Attempt::Done(receipt(stream, &appended)))
            }
            Err(error) if error.is_conflict() => Ok(Attempt::Conflict),
            Err(error) => Err(error.into()),
        }
    }
}

/// Returns the receipt of a command that is among the aggregate's most recent ones.
pub(crate) fn recent_receipt<A>(loaded: &Loaded<A>, command_id: Uuid) -> Option<Receipt> {
    let stored = loaded.recent_command(&command_id.to_string())?;
    let stream = loaded.key().stream();
    Some(Receipt { stream, position: stored.position, version: stored.version, repeated: true })
}

fn receipt(stream: Stream, appended: &Appended) -> Receipt {
    Receipt { stream, position: appended.position, version: appended.version, repeated: appended.repeated }
}

fn unchanged<A>(loaded: &Loaded<A>) -> Receipt {
    Receipt { stream: loaded.key().stream(), position: loaded.position, version: loaded.version, repeated: false }
}

fn pauses() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(2))
        .with_max_delay(LONGEST_PAUSE)
        .with_max_times(MOST_CONFLICTS)
        // Jitter keeps concurrent commands from colliding again.
        .with_jitter()
        .build()
}
