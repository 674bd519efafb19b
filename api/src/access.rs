//! Permissions and the least role that has each: the one place that decides who may do what. Which organisation's data
//! a caller sees is decided by `auth`.

use domain::user::AccessRole;

/// An action that needs a role.
pub trait Permission: Send + Sync + 'static {
    /// The least role that has the permission.
    const LEAST: AccessRole;
    /// The action, for the text of a 403.
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

        /// Every permission: its name, what it is, and the least role that has it.
        pub const TABLE: &[(&str, &str, AccessRole)] = &[$((stringify!($name), $what, AccessRole::$role)),*];
    };
}

permissions! {
    /// Read everything of the own organisation except users and API keys.
    Read: Viewer, "read everything but people and keys";
    /// Acknowledge, assign, comment, shelve and dismiss alarms.
    AcknowledgeAlarms: Operator, "work on alarms";
    /// Create, assign, start, tick off, complete and cancel activities.
    WorkActivities: Operator, "work on activities";
    /// Redrive or discard dead letters.
    SettleDeadLetters: Engineer, "settle dead letters";
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
    /// Change notification channels.
    ManageChannels: Admin, "change notification channels";
    /// Choose how long telemetry is kept.
    ManageRetention: Admin, "choose how long telemetry is kept";
    /// See who changed what in the organisation.
    ReadAudit: Admin, "read the audit trail";
    /// List, add, change, deactivate and erase users.
    ManageUsers: Admin, "manage users";
    /// List, create and revoke API keys.
    ManageApiKeys: Admin, "manage API keys";
    /// List, create, rename, suspend and reactivate organisations; act in any of them.
    ManageOrganizations: PlatformAdmin, "manage organisations, and act in any of them";
}

/// Returns whether a role includes the least role required: each role includes those below it.
pub fn allows(role: AccessRole, least: AccessRole) -> bool {
    role >= least
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_has_exactly_its_permissions() {
        let count =
            |role: AccessRole| TABLE.iter().filter(move |(.., least)| allows(role, *least)).map(|(name, ..)| *name);
        let viewer = ["Read"];
        let operator = ["AcknowledgeAlarms", "WorkActivities"];
        let engineer = ["SettleDeadLetters", "WriteRules", "WriteTemplates", "WriteTypes", "WriteAssets", "WriteLinks"];
        let admin = ["ManageDevices", "ManageChannels", "ManageRetention", "ReadAudit", "ManageUsers", "ManageApiKeys"];
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

    #[test]
    fn the_user_guide_has_the_table_of_permissions() {
        let roles = [
            AccessRole::Viewer,
            AccessRole::Operator,
            AccessRole::Engineer,
            AccessRole::Admin,
            AccessRole::PlatformAdmin,
        ];
        let row = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let head = std::iter::once("to".to_owned()).chain(roles.iter().map(|role| format!("`{role}`")));
        let mut table = row(head.collect()) + &row(vec!["---".to_owned(); 1 + roles.len()]);
        for (_, what, least) in TABLE {
            let may = roles.iter().map(|role| if allows(*role, *least) { "yes" } else { "—" }.to_owned());
            table += &row(std::iter::once((*what).to_owned()).chain(may).collect());
        }
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/user-guide.md");
        let guide = std::fs::read_to_string(file).unwrap();
        assert!(guide.contains(&table), "docs/user-guide.md must have this table:\n{table}");
    }
}
