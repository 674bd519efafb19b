//! Settings for maintaining a mosquitto broker's access list: its dynamic security plugin and its revocation file.

use std::path::PathBuf;

use super::Secret;
use super::api_url::InvalidApiUrl;
use crate::http_request::authority;

/// Settings of mosquitto's dynamic security plugin.
#[derive(Clone, Debug)]
pub struct DynamicSecurity {
    /// Name of the plugin's administrator account.
    pub user: String,
    /// Its password.
    pub password: Secret,
    /// The broker's revocation file. Without one, a device with another valid certificate can use a revoked one until
    /// it expires.
    pub revocations: Option<RevocationFile>,
}

/// The broker's revocation file and the API that it is filled from.
#[derive(Clone, Debug)]
pub struct RevocationFile {
    /// `host:port` of the API.
    pub(crate) authority: String,
    /// The broker's `crlfile`.
    pub(crate) path: PathBuf,
    /// The broker's `pid_file`.
    pub(crate) pid_file: PathBuf,
}

impl RevocationFile {
    /// Takes the API's URL (`http://host:port`), the broker's `crlfile` and its `pid_file`.
    pub fn new(api_url: &str, path: PathBuf, pid_file: PathBuf) -> Result<Self, InvalidApiUrl> {
        let authority = authority(api_url)
            .ok_or_else(|| InvalidApiUrl { setting: "bridge.dynamic_security.api_url", url: api_url.to_owned() })?;
        Ok(Self { authority, path, pid_file })
    }
}
