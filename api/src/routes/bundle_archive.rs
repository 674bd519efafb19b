//! Packs a certificate bundle as a ZIP archive of four files with fixed names.

use std::io::{Cursor, Write};

use commands::Bundle;
use domain::ids::{DeviceId, OrganizationId};
use serde_json::{Value, json};
use zip::result::ZipResult;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::config::DeviceUrls;

/// The contents of a bundle that depend on the device.
pub struct Contents<'a> {
    /// The device's organisation.
    pub organization: OrganizationId,
    /// The device.
    pub device: DeviceId,
    /// Its certificate and that of the organisation's CA, PEM.
    pub chain_pem: &'a str,
    /// Its private key, PEM.
    pub private_key_pem: &'a str,
}

/// Packs a bundle into one archive.
pub fn archive(bundle: &Bundle, root_certificate_pem: &str, device_urls: &DeviceUrls) -> ZipResult<Vec<u8>> {
    let contents = Contents {
        organization: bundle.organization,
        device: bundle.device,
        chain_pem: &bundle.chain_pem,
        private_key_pem: bundle.private_key_pem.expose(),
    };
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, options, content) in entries(&contents, root_certificate_pem, device_urls) {
        archive.start_file(name, options)?;
        archive.write_all(content.as_bytes())?;
    }
    Ok(archive.finish()?.into_inner())
}

/// Returns the files of a bundle. File names are constants, so unpacking cannot escape its folder.
pub fn entries(
    bundle: &Contents<'_>,
    root_certificate_pem: &str,
    device_urls: &DeviceUrls,
) -> [(&'static str, SimpleFileOptions, String); 4] {
    let configuration = format!("{:#}\n", configuration(bundle, device_urls));
    let private = public().unix_permissions(0o600);
    [
        ("device.crt", public(), bundle.chain_pem.to_owned()),
        ("device.key", private, bundle.private_key_pem.to_owned()),
        ("ca.crt", public(), root_certificate_pem.to_owned()),
        ("config.json", public(), configuration),
    ]
}

/// Returns the ZIP options of a world-readable file: stored without compression, mode 0644.
pub fn public() -> SimpleFileOptions {
    SimpleFileOptions::default().compression_method(CompressionMethod::Stored).unix_permissions(0o644)
}

/// Returns `config.json`: where the device connects and which topics it uses.
fn configuration(bundle: &Contents<'_>, device_urls: &DeviceUrls) -> Value {
    let (organization, device) = (bundle.organization, bundle.device);
    json!({
        "organizationId": organization,
        "deviceId": device,
        "mqtt": {
            "url": device_urls.mqtt_url,
            "clientId": device,
            "telemetryTopic": format!("v1/telemetry/{organization}/{device}"),
            "commandTopic": format!("v1/commands/{organization}/{device}"),
        },
        "telemetryUrl": device_urls.telemetry_url,
        "enrollUrl": device_urls.enroll_url,
        "certificateFile": "device.crt",
        "privateKeyFile": "device.key",
        "authorityFile": "ca.crt",
    })
}
