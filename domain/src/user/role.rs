//! What a person may do. What does not live here: the check of each endpoint.

use serde::{Deserialize, Serialize};

use crate::word_enum::word_enum;

/// Access roles, each including the ones before it; the platform administrator acts across organisations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessRole {
    /// Reads.
    Viewer,
    /// Works alarms and activities.
    Operator,
    /// Writes rules, links, types.
    Engineer,
    /// Onboards devices and people.
    Admin,
    /// Everything in every organisation.
    PlatformAdmin,
}

word_enum!(AccessRole { Viewer "viewer", Operator "operator", Engineer "engineer", Admin "admin", PlatformAdmin "platform_admin" });
