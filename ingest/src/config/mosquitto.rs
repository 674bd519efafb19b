//! How a mosquitto broker is told which devices may connect: its dynamic security plugin and its revocation file.

use std::path::PathBuf;

use super::Secret;
use super::api_url::InvalidApiUrl;
use crate::http_request::authority;

/// How the broker is told who may connect.
#[derive(Clone, Debug)]
pub struct DynamicSecurity {
    /// Name of the account that administers the plugin.
    pub user: String,
    /// Its password.
    pub password: Secret,
    /// The broker's revocation file; none where it has none, and a device that holds another certificate that counts may
    /// then use a revoked one until its end.
    pub revocations: Option<RevocationFile>,
}

/// Where the lists come from and go to.
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
    /// Takes the address of the API (`http://host:port`), the broker's `crlfile` and its `pid_file`.
    pub fn new(api_url: &str, path: PathBuf, pid_file: PathBuf) -> Result<Self, InvalidApiUrl> {
        let authority = authority(api_url)
            .ok_or_else(|| InvalidApiUrl { setting: "bridge.dynamic_security.api_url", url: api_url.to_owned() })?;
        Ok(Self { authority, path, pid_file })
    }
}
