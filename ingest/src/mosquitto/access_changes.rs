//! What a broker has to be told, from what it knows and what it should know, and in the plugin's own words. Not how it is
//! told.

use std::collections::HashMap;

use domain::ids::DeviceId;
use serde_json::{Value, json};

use super::admission_list::AdmittedDevice;
use crate::decide::Topics;

/// Name of the role of the account that reads telemetry.
pub const BRIDGE_ROLE: &str = "argusiq-bridge";

/// What has to change.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct AccessChanges {
    /// Devices that go, which ends their sessions.
    pub remove: Vec<DeviceId>,
    /// Devices that come.
    pub add: Vec<DeviceId>,
    /// Devices that come as soon as the broker's list has the certificates they lost.
    pub waiting: Vec<DeviceId>,
}

/// Compares the devices that a broker knows, each with its tag, with those that it should. `is_listed` tells whether the
/// broker's list has all revoked certificates of one.
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

/// The commands that let a device in: a role with its own two topics, and the client that has it.
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

/// The command that puts a device out, which ends its sessions. Its role stays.
pub fn remove_device(device: DeviceId) -> Value {
    json!({"command": "deleteClient", "username": device.to_string()})
}

/// The command that forgets the role of a device that was put out.
pub fn delete_role(device: DeviceId) -> Value {
    json!({"command": "deleteRole", "rolename": role(device)})
}

/// Returns the device that a role is for, if it is for one.
pub fn device_of(role: &str) -> Option<DeviceId> {
    role.strip_prefix("device-")?.parse().ok()
}

/// The commands that nobody may do more than a role allows, and that the service account may subscribe to these filters.
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
        // Whatever it was allowed before, by other settings.
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
    fn who_is_known_as_it_should_be_is_left_alone() {
        let wanted = HashMap::from([(device(1), admitted(0)), (device(2), admitted(1))]);
        let known = wanted.iter().map(|(device, wanted)| (*device, wanted.tag())).collect();
        assert_eq!(diff(&known, &wanted, |_| false), AccessChanges::default());
    }

    #[test]
    fn strangers_leave_and_new_ones_enter() {
        let known = HashMap::from([(device(1), admitted(0).tag())]);
        let wanted = HashMap::from([(device(2), admitted(0))]);
        let expected = AccessChanges { remove: vec![device(1)], add: vec![device(2)], waiting: vec![] };
        assert_eq!(diff(&known, &wanted, |wanted| wanted.listed.is_empty()), expected);
    }

    #[test]
    fn one_that_lost_a_certificate_leaves_at_once_and_comes_back_when_the_list_has_it() {
        let known = HashMap::from([(device(1), admitted(0).tag())]);
        let wanted = HashMap::from([(device(1), admitted(1))]);
        let expected = AccessChanges { remove: vec![device(1)], add: vec![], waiting: vec![device(1)] };
        assert_eq!(diff(&known, &wanted, |_| false), expected);
        let expected = AccessChanges { remove: vec![], add: vec![device(1)], waiting: vec![] };
        assert_eq!(diff(&HashMap::new(), &wanted, |_| true), expected);
    }
}
