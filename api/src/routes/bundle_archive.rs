//! The archive of a certificate bundle: four files with fixed names. What does not live here: who gets it.

use std::io::{Cursor, Write};

use commands::Bundle;
use domain::ids::{DeviceId, OrganizationId};
use serde_json::{Value, json};
use zip::result::ZipResult;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::config::DeviceUrls;

/// What is in a bundle.
pub struct Contents<'a> {
    /// The device's organisation.
    pub organization: OrganizationId,
    /// The device.
    pub device: DeviceId,
    /// Its certificate and the authority's, PEM.
    pub chain_pem: &'a str,
    /// Its key, PEM.
    pub private_key_pem: &'a str,
}

/// Packs a bundle.
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

/// Returns the files of a bundle. No name comes from outside, so none can lead out of the folder it is unpacked into.
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

/// Returns how a file that everybody may read is packed: as it is.
pub fn public() -> SimpleFileOptions {
    SimpleFileOptions::default().compression_method(CompressionMethod::Stored).unix_permissions(0o644)
}

/// What a device has to know beside its certificate.
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
