//! Test support: a running platform, organisations in it, and clients.

mod client;
pub mod mail_server;
pub mod openssl_workspace;
mod platform;
mod readings;
mod second_api;
pub mod webhook_receiver;

pub use client::{Answer, Client};
pub use platform::{now, platform};
pub use readings::{Source, reading};

use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// An organisation with its own administrator.
pub struct Tenant {
    pub organization: String,
    pub admin: Client,
}

/// Creates an organisation.
pub fn tenant(name: &str) -> Tenant {
    let platform = platform();
    let root = platform.root_admin();
    let organization = root.post("/api/v1/organizations", json!({"name": name})).created()["organization"]["id"].text();
    let admin = user(&root, &organization, "admin");
    Tenant { organization, admin }
}

impl Tenant {
    /// Creates a user with this role and signs them in.
    pub fn user_with_role(&self, role: &str) -> Client {
        user(&platform().root_admin(), &self.organization, role)
    }

    /// Creates a device type with a temperature metric.
    pub fn device_type(&self) -> String {
        let body = json!({"name": "Sensor", "metrics": [{"key": "temperature", "unit": "Cel"}]});
        self.admin.post("/api/v1/device-types", body).created()["deviceType"]["id"].text()
    }

    /// Creates a device of a new type.
    pub fn device(&self, serial_number: &str) -> String {
        let body = json!({"name": serial_number, "serialNumber": serial_number, "deviceTypeId": self.device_type()});
        self.admin.post("/api/v1/devices", body).created()["device"]["id"].text()
    }

    /// Creates an asset of a new type.
    pub fn asset(&self, name: &str) -> String {
        let kind = self.admin.post("/api/v1/asset-types", json!({"name": "Pump"})).created();
        let body = json!({"name": name, "assetTypeId": kind["assetType"]["id"]});
        self.admin.post("/api/v1/assets", body).created()["asset"]["id"].text()
    }
}

fn user(root: &Client, organization: &str, role: &str) -> Client {
    let email = format!("{role}-{}@example.com", unique());
    let body = json!({
        "email": email, "name": format!("The {role}"), "password": "correct horse", "role": role,
        "organizationId": organization,
    });
    root.post("/api/v1/users", body).created();
    platform().sign_in(&email, "correct horse")
}

/// Returns a string that no other call returns.
pub fn unique() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Polls until there is a value; fails after ten seconds. `what` is a noun phrase for the failure message.
pub fn eventually<T>(what: &str, mut poll: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(answer) = poll() {
            return answer;
        }
        assert!(began.elapsed() < Duration::from_secs(10), "timed out waiting for {what}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

/// Reads the text of a JSON string.
pub trait Text {
    fn text(&self) -> String;
}

impl Text for Value {
    fn text(&self) -> String {
        self.as_str().unwrap_or_else(|| panic!("not a string: {self}")).to_owned()
    }
}
