//! Access roles of users and API keys. The permissions of each endpoint live in the `api` crate.

use serde::{Deserialize, Serialize};

use crate::word_enum::word_enum;

/// Access roles; each includes the rights of those before it. The platform administrator acts across organisations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessRole {
    /// Read access.
    Viewer,
    /// Also handles alarms and activities.
    Operator,
    /// Also manages rules, links and types.
    Engineer,
    /// Also manages devices and users.
    Admin,
    /// All rights in every organisation.
    PlatformAdmin,
}

word_enum!(AccessRole { Viewer "viewer", Operator "operator", Engineer "engineer", Admin "admin", PlatformAdmin "platform_admin" });
