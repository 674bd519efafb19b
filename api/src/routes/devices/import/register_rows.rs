//! Registers the rows of an import, several at a time, and reports one result per row.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use commands::device::Refusal;
use commands::{CommandContext, Error, IssuedCertificate, NewDevice};
use domain::ids::{DeviceId, DeviceTypeId};
use futures_util::{Stream, StreamExt, stream};
use poem_openapi::types::ToJSON;
use serde_json::json;

use super::super::create::register;
use super::super::issued_certificate::USUAL_VALIDITY_DAYS;
use super::super::requested_certificate::RequestedCertificate;
use super::rows::{DeviceRow, Row};
use crate::prelude::*;
use crate::routes::attributes::object;

/// How many rows are processed concurrently: the log batches concurrent writes.
const AT_ONCE: usize = 64;

/// Options that apply to all rows.
#[derive(Clone, Copy)]
pub struct ImportOptions {
    /// Device type of rows without one.
    pub device_type_id: Option<Uuid>,
    /// Whether to generate keys and issue certificates.
    pub with_bundles: bool,
}

/// The result of one row.
pub struct Outcome {
    /// The JSON line of the response.
    pub line: Value,
    /// The certificate and private key of a new device.
    pub bundle: Option<(DeviceId, IssuedCertificate)>,
}

/// Processes the rows in order, as fast as the client reads the results. After a failure of the platform, the remaining
/// rows are skipped.
pub fn outcomes(
    state: &State,
    context: CommandContext,
    rows: Vec<Row>,
    options: ImportOptions,
) -> impl Stream<Item = Outcome> + Send + 'static {
    let (state, context, failed) = (Arc::new(state.clone()), Arc::new(context), Arc::new(AtomicBool::new(false)));
    let one = move |(index, row)| {
        let (state, context, failed) = (state.clone(), context.clone(), failed.clone());
        async move { outcome(&state, &context, &failed, (index + 1, row), options).await }
    };
    stream::iter(rows.into_iter().enumerate()).map(one).buffered(AT_ONCE)
}

async fn outcome(
    state: &State,
    context: &CommandContext,
    failed: &AtomicBool,
    (number, row): (usize, Row),
    options: ImportOptions,
) -> Outcome {
    let row = match row {
        Ok(row) => row,
        Err(problem) => return refused(json!({"row": number}), &problem),
    };
    let line = json!({"row": number, "serialNumber": row.serial_number.trim()});
    if failed.load(Ordering::Relaxed) {
        return Outcome { line: with(line, json!({"result": "skipped"})), bundle: None };
    }
    match import(state, context, row, options).await {
        Ok(done) => Outcome { line: with(line, done.0), bundle: done.1 },
        Err(problem) => {
            // The platform is failing: skip the rows that are left instead of failing each of them.
            failed.fetch_or(problem.status >= 500, Ordering::Relaxed);
            refused(line, &problem)
        }
    }
}

fn refused(line: Value, problem: &Problem) -> Outcome {
    let result = if problem.status >= 500 { "failed" } else { "refused" };
    Outcome { line: with(line, json!({"result": result, "problem": problem.to_json()})), bundle: None }
}

fn with(mut line: Value, more: Value) -> Value {
    if let (Value::Object(line), Value::Object(more)) = (&mut line, more) {
        line.extend(more);
    }
    line
}

type Done = (Value, Option<(DeviceId, IssuedCertificate)>);

async fn import(
    state: &State,
    context: &CommandContext,
    row: DeviceRow,
    options: ImportOptions,
) -> Result<Done, Problem> {
    let untyped = || Problem::field("deviceTypeId", "must be given in the row or as a query parameter");
    let new = NewDevice {
        name: row.name.unwrap_or_else(|| row.serial_number.clone()),
        description: row.description,
        device_type_id: DeviceTypeId(row.device_type_id.or(options.device_type_id).ok_or_else(untyped)?),
        custom_attributes: object(row.custom_attributes),
        certificate_validity_days: row.certificate_validity_days.unwrap_or(USUAL_VALIDITY_DAYS),
        serial_number: row.serial_number,
    };
    let has_request = row.csr.is_some();
    let requested = match row.csr {
        Some(csr) => RequestedCertificate::SigningRequest(csr),
        None if options.with_bundles => RequestedCertificate::GeneratedKey,
        None => RequestedCertificate::None,
    };
    let context = state.commands.import_context(context, &new.serial_number).await?;
    let (device, certificate, receipt) = match register(state, &context, new, requested).await {
        Ok(registered) => registered,
        Err(Error::Refused(Refusal::SerialNumberTaken { holder })) => return Ok((known(holder), None)),
        Err(error) => return Err(error.into()),
    };
    // An earlier import registered this device; its private key was sent then and is not stored.
    if receipt.repeated {
        return Ok((known(device), None));
    }
    let mut line = json!({"result": "created", "deviceId": device});
    match certificate {
        Some(certificate) if has_request => line["chain"] = certificate.chain_pem.into(),
        Some(certificate) => return Ok((line, Some((device, certificate)))),
        None => {}
    }
    Ok((line, None))
}

fn known(device: DeviceId) -> Value {
    json!({"result": "existing", "deviceId": device})
}
