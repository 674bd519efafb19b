//! The error of a setting that should hold the base URL of an HTTP API.

/// A setting is not of the form `http://host:port`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{setting} {url:?} is not of the form http://host:port")]
pub struct InvalidApiUrl {
    /// The name of the setting.
    pub setting: &'static str,
    /// Its value.
    pub url: String,
}
