//! Registers many devices out of a file, one result for each row.

mod register_rows;
mod response;
mod rows;

use poem_openapi::Enum;

use self::response::ImportResponse;
use self::rows::Rows;
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// Whether devices without a signing request get a certificate.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename = "ImportCertificates", rename_all = "lowercase")]
enum Certificates {
    /// They are to enrol with claim codes.
    None,
    /// For a key made here.
    Bundle,
}

#[OpenApi]
impl Api {
    /// Import devices
    ///
    /// CSV with a line of headers, or JSON lines: 1 to 100,000 rows with `serialNumber`, `name` (the serial number where it
    /// is absent), `deviceTypeId`, `description`, `certificateValidityDays` and `csr`; in CSV `attribute.<name>` for each
    /// custom attribute, as JSON `customAttributes`. `id` and `status`, as an export has them, are passed over.
    ///
    /// The answer has one JSON line for each row, in their order, as they are done: `row`, `serialNumber`, and as `result`
    /// `created`, `existing` (the serial number is known; nothing is changed), `refused` or, where the platform failed,
    /// `failed` and then `skipped`, with the `problem`. What was created has `deviceId`, and for a `csr` the certificate's
    /// `chain`. The same file again creates nothing twice, and completes what was broken off.
    ///
    /// With `certificates=bundle` the answer is one archive: for each new device a folder by its id with `device.crt`,
    /// `device.key`, `ca.crt` and `config.json`, and at the end `results.ndjson`. The keys are in this answer alone.
    #[oai(path = "/devices/import", method = "post", tag = "Tag::Devices", operation_id = "importDevices")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::ManageDevices>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        /// The type of devices whose row names none.
        #[oai(name = "deviceTypeId")]
        device_type_id: Query<Option<Uuid>>,
        /// `none` by default.
        certificates: Query<Option<Certificates>>,
        rows: Rows,
    ) -> Result<ImportResponse, Problem> {
        let with_bundles = certificates.0 == Some(Certificates::Bundle);
        let options = register_rows::ImportOptions { device_type_id: device_type_id.0, with_bundles };
        let outcomes = register_rows::outcomes(&state, intent.context(&caller), rows.0, options);
        Ok(match with_bundles {
            true => response::archive(&state, caller.organization, outcomes),
            false => response::lines(outcomes),
        })
    }
}
