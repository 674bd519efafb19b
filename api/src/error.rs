//! Why the API role cannot start or stops. Errors of single requests are problem details (`problem`).

/// Why serving did not start, or ended.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A port cannot be bound or served.
    #[error(transparent)]
    Serving(#[from] serving::Error),
    /// The live feed cannot read the log.
    #[error("the live feed failed")]
    Feed(#[source] projections::Error),
}
