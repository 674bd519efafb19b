//! Which role may do what: the one place that decides. What does not live here: whose data it is; that is the
//! organisation of the caller, always.

use domain::user::AccessRole;

/// Something that not everybody may do.
pub trait Permission: Send + Sync + 'static {
    /// The least role that may.
    const LEAST: AccessRole;
    /// What it is, for the answer to those who may not.
    const WHAT: &'static str;
}

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident: $role:ident, $what:literal;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug)]
            pub struct $name;

            impl Permission for $name {
                const LEAST: AccessRole = AccessRole::$role;
                const WHAT: &'static str = $what;
            }
        )*

        /// Every permission with the least role that has it.
        pub const TABLE: &[(&str, AccessRole)] = &[$((stringify!($name), AccessRole::$role)),*];
    };
}

permissions! {
    /// Read everything of the own organisation but its people.
    Read: Viewer, "read";
    /// Acknowledge alarms.
    AcknowledgeAlarms: Operator, "acknowledge alarms";
    /// Make, assign, start, tick off, complete and cancel activities.
    WorkActivities: Operator, "work on activities";
    /// Change rules.
    WriteRules: Engineer, "change rules";
    /// Change activity templates.
    WriteTemplates: Engineer, "change activity templates";
    /// Change device types and asset types.
    WriteTypes: Engineer, "change types";
    /// Change assets.
    WriteAssets: Engineer, "change assets";
    /// Link devices to assets, and unlink them.
    WriteLinks: Engineer, "change links";
    /// Register, change and decommission devices; issue and revoke their certificates.
    ManageDevices: Admin, "manage devices and their certificates";
    /// See and add people.
    ManageUsers: Admin, "manage users";
    /// See and found organisations.
    ManageOrganizations: PlatformAdmin, "manage organisations";
}

/// Returns whether a role may do what needs at least another one: each role may all that the one before it may.
pub fn allows(role: AccessRole, least: AccessRole) -> bool {
    role >= least
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_may_what_the_table_says_and_no_more() {
        let count =
            |role: AccessRole| TABLE.iter().filter(move |(_, least)| allows(role, *least)).map(|(name, _)| *name);
        let viewer = ["Read"];
        let operator = ["AcknowledgeAlarms", "WorkActivities"];
        let engineer = ["WriteRules", "WriteTemplates", "WriteTypes", "WriteAssets", "WriteLinks"];
        let admin = ["ManageDevices", "ManageUsers"];
        let expected: [(AccessRole, Vec<&str>); 5] = [
            (AccessRole::Viewer, viewer.to_vec()),
            (AccessRole::Operator, [&viewer[..], &operator].concat()),
            (AccessRole::Engineer, [&viewer[..], &operator, &engineer].concat()),
            (AccessRole::Admin, [&viewer[..], &operator, &engineer, &admin].concat()),
            (AccessRole::PlatformAdmin, [&viewer[..], &operator, &engineer, &admin, &["ManageOrganizations"]].concat()),
        ];
        for (role, may) in expected {
            assert_eq!(count(role).collect::<Vec<_>>(), may, "{role}");
        }
    }
}
