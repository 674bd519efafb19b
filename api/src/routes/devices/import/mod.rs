//! Imports devices from a file, with one result per row.

mod register_rows;
mod response;
mod rows;

use poem_openapi::Enum;

use self::response::ImportResponse;
use self::rows::Rows;
use crate::auth::Standing;
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// Whether to issue certificates to devices without a signing request.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename = "ImportCertificates", rename_all = "lowercase")]
enum Certificates {
    /// No: these devices enrol with claim codes.
    None,
    /// Yes, for a key that the platform generates.
    Bundle,
}

#[OpenApi]
impl Api {
    /// Import devices
    ///
    /// Accepts CSV with a header line, or JSON lines: 1 to 100,000 rows with `serialNumber`, `name` (defaults to the
    /// serial number), `deviceTypeId`, `description`, `certificateValidityDays` and `csr`. Custom attributes are
    /// `attribute.<name>` columns in CSV and `customAttributes` in JSON. `id` and `status`, which an export has, are
    /// ignored.
    ///
    /// A cell of an attribute is text unless it is exactly what an export writes for something else: a number below 2^53
    /// with the same characters (`3.5`, but not `007`, `1e5` or an ICCID), `true`, `false`, `null`, a JSON object or
    /// array, or a JSON string of a text that would otherwise be read as one of these (`"3"`). Numbers in JSON lines that
    /// would lose digits are refused.
    ///
    /// The response has one JSON line per row, in order, sent as rows are processed: `row`, `serialNumber`, and as
    /// `result` `created`, `existing` (a device in service has the serial number; nothing is changed), `refused`, or, if
    /// the platform failed, `failed` and then `skipped`, with the `problem`. Created devices have `deviceId` and, for a
    /// `csr`, the `chain` of the certificate. Importing the same file again creates nothing twice and completes an
    /// interrupted import.
    ///
    /// With `certificates=bundle`, the response is one archive: for each new device a folder named by its id with
    /// `device.crt`, `device.key`, `ca.crt` and `config.json`, and finally `results.ndjson`. The private keys are only
    /// in this response.
    #[oai(path = "/devices/import", method = "post", tag = "Tag::Devices", operation_id = "importDevices")]
    #[allow(clippy::too_many_arguments, reason = "each is a part of the request")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::ManageDevices>,
        standing: Standing,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        /// Device type of rows without one.
        #[oai(name = "deviceTypeId")]
        device_type_id: Query<Option<Uuid>>,
        /// Defaults to `none`.
        certificates: Query<Option<Certificates>>,
        rows: Rows,
    ) -> Result<ImportResponse, Problem> {
        let with_bundles = certificates.0 == Some(Certificates::Bundle);
        let options = register_rows::ImportOptions { device_type_id: device_type_id.0, with_bundles };
        let outcomes = register_rows::outcomes(&state, intent.context(&caller), rows.0, options);
        Ok(match with_bundles {
            true => response::archive(&state, caller.organization, standing, outcomes),
            false => response::lines(standing, outcomes),
        })
    }
}
