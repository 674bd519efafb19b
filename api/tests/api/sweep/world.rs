//! The resources that the samples name, and fresh ones for operations that use them up.

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use crate::activities::raise_alarm;
use crate::support::{Client, Tenant, Text, eventually, now, platform, tenant, unique};

/// An organisation with one resource of each kind.
pub struct World {
    /// A platform administrator who acts in the organisation, without rate limits.
    pub client: Client,
    tenant: Tenant,
    pub organization: String,
    pub device_type: String,
    pub device: String,
    pub certificate: String,
    pub asset_type: String,
    pub asset: String,
    pub link: String,
    pub profile: String,
    pub converter: String,
    pub channel: String,
    pub activity_type: String,
    pub template: String,
    pub activity: String,
    pub rule: String,
    pub alarm: String,
    pub user: String,
}

impl World {
    pub fn new() -> Self {
        let unlimited = api::Limits {
            requests_per_minute: 0,
            requests_per_minute_per_address: 0,
            failed_sign_ins_per_email: 0,
            failed_sign_ins_per_address: 0,
            ..api::Limits::default()
        };
        let api = platform().second_api(chrono::TimeDelta::zero(), unlimited);
        let root = platform().root_admin();
        let tenant = tenant("Sweep");
        let organization = tenant.organization.clone();
        let client = api.bearing(root.token.as_ref().unwrap()).with("x-organization", &organization);
        let mut world = Self { client, organization, ..Self::empty(tenant) };
        world.device_type = world.create("device-types", json!({"name": "Sensor"}));
        world.asset_type = world.create("asset-types", json!({"name": "Pump"}));
        world.asset = world.new_asset();
        world.device = world.certified_device();
        let certificates = world.client.get(&format!("/api/v1/devices/{}/certificates", world.device)).ok();
        world.certificate = certificates["certificates"][0]["id"].text();
        world.link = world.new_link().1;
        world.profile = world.create("asset-profiles", json!({"name": "P", "assetTypeId": world.asset_type}));
        let rules = json!([{"target": "t", "path": "/t"}]);
        world.converter =
            world.create("protocol-converters", json!({"name": "C", "sourceProtocol": "raw", "rules": rules}));
        let medium = json!({"type": "push", "workRoles": ["technician"]});
        world.channel = world.create("notification-channels", json!({"name": "N", "medium": medium}));
        world.activity_type = world.create("activity-types", json!({"name": "T"}));
        world.template =
            world.create("activity-templates", json!({"name": "Inspect", "checklist": [{"item": "Bearings"}]}));
        world.activity = world.new_activity();
        let rule = json!({"name": "Hot", "entityType": "asset", "metricKey": "t", "severity": "low",
            "condition": {"operator": ">", "value": 80}});
        world.rule = world.create("rules", rule);
        world.alarm = world.new_alarm();
        world.user = world.new_user();
        world
    }

    fn empty(tenant: Tenant) -> Self {
        let none = String::new;
        Self {
            client: tenant.admin.clone(),
            tenant,
            organization: none(),
            device_type: none(),
            device: none(),
            certificate: none(),
            asset_type: none(),
            asset: none(),
            link: none(),
            profile: none(),
            converter: none(),
            channel: none(),
            activity_type: none(),
            template: none(),
            activity: none(),
            rule: none(),
            alarm: none(),
            user: none(),
        }
    }

    /// Creates a resource and returns its id.
    pub fn create(&self, noun: &str, body: Value) -> String {
        let answer = self.client.post(&format!("/api/v1/{noun}"), body).created();
        let shown = answer.json.as_object().unwrap().values().find(|value| value["id"].is_string());
        shown.unwrap_or(&answer.json)["id"].text()
    }

    pub fn new_asset(&self) -> String {
        self.create("assets", json!({"name": "Pump 1", "assetTypeId": self.asset_type}))
    }

    pub fn new_device(&self) -> String {
        let body =
            json!({"name": "D", "serialNumber": unique(), "deviceTypeId": self.device_type, "issueCertificate": false});
        self.create("devices", body)
    }

    pub fn certified_device(&self) -> String {
        let body = json!({"name": "D", "serialNumber": unique(), "deviceTypeId": self.device_type});
        // The answer shows the certificate too, so `create` could return either id.
        let device = self.client.post("/api/v1/devices", body).created()["device"]["id"].text();
        let path = format!("/api/v1/devices/{device}/certificates");
        eventually("the certificate in the read model", || {
            self.client.get(&path).json["certificates"][0]["id"].is_string().then_some(())
        });
        device
    }

    pub fn new_user(&self) -> String {
        let body = json!({"email": format!("{}@sweep.example", unique()), "name": "U", "password": "correct horse",
            "role": "viewer"});
        self.create("users", body)
    }

    pub fn new_key(&self) -> String {
        self.create("api-keys", json!({"name": "K", "role": "viewer"}))
    }

    /// Returns a device that feeds the asset, and its link.
    pub fn new_link(&self) -> (String, String) {
        let device = self.new_device();
        let link = self.create(&format!("devices/{device}/assets/{}/link", self.asset), json!({"port": 1}));
        (device, link)
    }

    /// Returns a device and the id of its token.
    pub fn new_token(&self) -> (String, String) {
        let device = self.new_device();
        let token = self.create(&format!("devices/{device}/tokens"), json!({}));
        (device, token)
    }

    pub fn new_activity(&self) -> String {
        self.create(&format!("activities/from-template/{}", self.template), json!({"targetId": self.asset}))
    }

    pub fn assigned_activity(&self) -> String {
        let activity = self.new_activity();
        let assigned = json!({"assignedRole": "technician"});
        self.client.post(&format!("/api/v1/activities/{activity}/assign"), assigned).ok();
        activity
    }

    pub fn started_activity(&self) -> String {
        let activity = self.assigned_activity();
        self.client.post(&format!("/api/v1/activities/{activity}/start"), json!({})).ok();
        activity
    }

    /// Raises an alarm of a new asset and waits until it is visible.
    pub fn new_alarm(&self) -> String {
        let alarm = raise_alarm(&self.tenant, &self.new_asset());
        let path = format!("/api/v1/alarms/{alarm}");
        eventually("the alarm in the read model", || (self.client.get(&path).status == 200).then_some(()));
        alarm
    }

    pub fn tomorrow(&self) -> String {
        (now() + chrono::TimeDelta::days(1)).to_rfc3339()
    }
}

/// Returns a number that no other call returns.
pub fn number() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(100);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
