//! The archive of a certificate bundle: four files with fixed names. What does not live here: who gets it.

use std::io::{Cursor, Write};

use commands::Bundle;
use serde_json::{Value, json};
use zip::result::ZipResult;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::state::Doors;

/// Packs a bundle. No name in it comes from outside, so none can lead out of the folder it is unpacked into.
pub fn archive(bundle: &Bundle, root_certificate_pem: &str, doors: &Doors) -> ZipResult<Vec<u8>> {
    let configuration = format!("{:#}\n", configuration(bundle, doors));
    let public = SimpleFileOptions::default().compression_method(CompressionMethod::Stored).unix_permissions(0o644);
    let private = public.unix_permissions(0o600);
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, options, content) in [
        ("device.crt", public, bundle.chain_pem.as_str()),
        ("device.key", private, bundle.private_key_pem.expose()),
        ("ca.crt", public, root_certificate_pem),
        ("config.json", public, configuration.as_str()),
    ] {
        archive.start_file(name, options)?;
        archive.write_all(content.as_bytes())?;
    }
    Ok(archive.finish()?.into_inner())
}

/// What a device has to know beside its certificate.
fn configuration(bundle: &Bundle, doors: &Doors) -> Value {
    let (organization, device) = (bundle.organization, bundle.device);
    json!({
        "organizationId": organization,
        "deviceId": device,
        "mqtt": {
            "url": doors.mqtt_url,
            "clientId": device,
            "telemetryTopic": format!("v1/telemetry/{organization}/{device}"),
            "commandTopic": format!("v1/commands/{organization}/{device}"),
        },
        "telemetryUrl": doors.telemetry_url,
        "enrollUrl": doors.enroll_url,
        "certificateFile": "device.crt",
        "privateKeyFile": "device.key",
        "authorityFile": "ca.crt",
    })
}
