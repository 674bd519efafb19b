//! The difference between a broker's access list and the desired one, and the commands of the dynamic security plugin
//! that change it. Pure; `access_sync` sends them.

use std::collections::HashMap;

use domain::ids::DeviceId;
use serde_json::{Value, json};

use super::admission_list::AdmittedDevice;
use crate::decide::Topics;

/// The role of the bridge's service account.
pub const BRIDGE_ROLE: &str = "argusiq-bridge";

/// Changes to make.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct AccessChanges {
    /// Devices to remove, which ends their sessions.
    pub remove: Vec<DeviceId>,
    /// Devices to add.
    pub add: Vec<DeviceId>,
    /// Devices to add once the broker's revocation file lists their revoked certificates.
    pub waiting: Vec<DeviceId>,
}

/// Compares the registered devices, each with its tag, with the desired ones. `is_listed` tells whether the broker's
/// revocation file contains all revoked certificates of a device.
pub fn diff(
    known: &HashMap<DeviceId, String>,
    admitted: &HashMap<DeviceId, AdmittedDevice>,
    is_listed: impl Fn(&AdmittedDevice) -> bool,
) -> AccessChanges {
    let is_right = |device: &DeviceId, tag: &String| admitted.get(device).is_some_and(|wanted| wanted.tag() == *tag);
    let remove = known.iter().filter(|(device, tag)| !is_right(device, tag)).map(|(device, _)| *device).collect();
    let missing = admitted.iter().filter(|(device, wanted)| known.get(device).is_none_or(|tag| wanted.tag() != *tag));
    let (mut add, mut waiting) = (Vec::new(), Vec::new());
    for (device, wanted) in missing {
        if is_listed(wanted) { add.push(*device) } else { waiting.push(*device) }
    }
    AccessChanges { remove, add, waiting }
}

/// Returns the commands that add a device: a role with its two topics, and a client with that role.
pub fn add_device(device: DeviceId, admitted: &AdmittedDevice) -> [Value; 2] {
    let topics = Topics::of(admitted.organization, device);
    let role = role(device);
    let allow = |kind: &str, topic: &str| json!({"acltype": kind, "topic": topic, "priority": 0, "allow": true});
    [
        json!({"command": "createRole", "rolename": role, "acls": [
            allow("publishClientSend", &topics.telemetry),
            allow("publishClientReceive", &topics.commands),
            allow("subscribeLiteral", &topics.commands),
            allow("unsubscribeLiteral", &topics.commands),
        ]}),
        json!({"command": "createClient", "username": device.to_string(), "textname": admitted.tag(),
            "roles": [{"rolename": role}]}),
    ]
}

/// Returns the command that removes a device, which ends its sessions. Its role stays.
pub fn remove_device(device: DeviceId) -> Value {
    json!({"command": "deleteClient", "username": device.to_string()})
}

/// Returns the command that deletes the role of a removed device.
pub fn delete_role(device: DeviceId) -> Value {
    json!({"command": "deleteRole", "rolename": role(device)})
}

/// Returns the device that a role belongs to, if it is a device's role.
pub fn device_of(role: &str) -> Option<DeviceId> {
    role.strip_prefix("device-")?.parse().ok()
}

/// Returns the commands that deny everything by default and allow the service account to subscribe to these filters.
pub fn base_setup(user: &str, password: &str, filters: &[String]) -> Vec<Value> {
    let refuse = |kind: &str| json!({"acltype": kind, "allow": false});
    let allow = |kind: &str, topic: &str| json!({"acltype": kind, "topic": topic, "priority": 0, "allow": true});
    let defaults = ["publishClientSend", "publishClientReceive", "subscribe"].map(refuse);
    let receives = ["v1/telemetry/#", "$SYS/#"].map(|topic| allow("publishClientReceive", topic));
    let subscribes = |filter: &String| ["subscribeLiteral", "unsubscribeLiteral"].map(|kind| allow(kind, filter));
    let acls: Vec<_> = filters.iter().flat_map(subscribes).chain(receives).collect();
    vec![
        json!({"command": "setDefaultACLAccess", "acls": defaults}),
        json!({"command": "createRole", "rolename": BRIDGE_ROLE}),
        // The role may exist with other permissions, so overwrite them.
        json!({"command": "modifyRole", "rolename": BRIDGE_ROLE, "acls": acls}),
        json!({"command": "createClient", "username": user, "password": password, "roles": [{"rolename": BRIDGE_ROLE}]}),
    ]
}

fn role(device: DeviceId) -> String {
    format!("device-{device}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use domain::ids::OrganizationId;
    use uuid::Uuid;

    use super::*;

    fn device(n: u128) -> DeviceId {
        DeviceId(Uuid::from_u128(n))
    }

    fn admitted(revoked: usize) -> AdmittedDevice {
        let listed = (0..revoked).map(|n| format!("0{n}")).collect::<BTreeSet<_>>();
        AdmittedDevice { organization: OrganizationId(Uuid::from_u128(9)), revoked, listed }
    }

    #[test]
    fn a_device_with_the_desired_tag_is_left_unchanged() {
        let wanted = HashMap::from([(device(1), admitted(0)), (device(2), admitted(1))]);
        let known = wanted.iter().map(|(device, wanted)| (*device, wanted.tag())).collect();
        assert_eq!(diff(&known, &wanted, |_| false), AccessChanges::default());
    }

    #[test]
    fn unknown_devices_are_removed_and_missing_ones_added() {
        let known = HashMap::from([(device(1), admitted(0).tag())]);
        let wanted = HashMap::from([(device(2), admitted(0))]);
        let expected = AccessChanges { remove: vec![device(1)], add: vec![device(2)], waiting: vec![] };
        assert_eq!(diff(&known, &wanted, |wanted| wanted.listed.is_empty()), expected);
    }

    #[test]
    fn a_device_with_a_revoked_certificate_is_removed_at_once_and_added_once_it_is_listed() {
        let known = HashMap::from([(device(1), admitted(0).tag())]);
        let wanted = HashMap::from([(device(1), admitted(1))]);
        let expected = AccessChanges { remove: vec![device(1)], add: vec![], waiting: vec![device(1)] };
        assert_eq!(diff(&known, &wanted, |_| false), expected);
        let expected = AccessChanges { remove: vec![], add: vec![device(1)], waiting: vec![] };
        assert_eq!(diff(&HashMap::new(), &wanted, |_| true), expected);
    }
}
