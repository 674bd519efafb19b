//! Issues claim codes for many devices in one request.

use commands::{CommandContext, Error, NewDevice};
use domain::device::serial_number_of;
use domain::ids::{DeviceId, DeviceTypeId, OrganizationId};
use futures_util::future::join_all;

use crate::error_mapping::never_refused;
use crate::prelude::*;
use crate::routes::attributes::object;

/// Default validity of a claim code in hours (30 days): codes are issued before devices are shipped.
const USUAL_VALIDITY_HOURS: u32 = 720;
/// Maximum number of serial numbers per request, and how many are processed concurrently.
const MOST: usize = 1_000;
const AT_ONCE: usize = 16;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// The devices, and the validity of the codes.
#[derive(Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
struct IssueClaimCodes {
    /// 1 to 1,000 serial numbers.
    #[oai(validator(min_items = 1, max_items = 1000))]
    serial_numbers: Vec<String>,
    /// Registers unknown serial numbers as devices of this type, without a certificate; if absent, they are refused.
    #[oai(nullable)]
    device_type_id: Option<Uuid>,
    /// Hours, 1 to 2,160; defaults to 720.
    #[oai(nullable, validator(minimum(value = "1"), maximum(value = "2160")))]
    validity_hours: Option<u32>,
}

/// The result for one serial number.
#[derive(Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
struct IssuedCode {
    serial_number: String,
    device_id: Option<Uuid>,
    /// The code that the device sends to `POST /enroll`. It is not stored and appears only in this response.
    code: Option<String>,
    expires_at: Option<Time>,
    /// Why no code was issued.
    error: Option<String>,
}

/// One result per serial number, in the order of the request.
#[derive(Object)]
struct IssuedCodes {
    codes: Vec<IssuedCode>,
}

#[OpenApi]
impl Api {
    /// Issue claim codes in bulk
    ///
    /// One code per serial number. A refused serial number has an `error` and does not affect the others.
    #[oai(path = "/enrollment/codes", method = "post", tag = "Tag::Enrollment", operation_id = "issueClaimCodes")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::ManageDevices>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        body: Body<IssueClaimCodes>,
    ) -> Result<Json<IssuedCodes>, Problem> {
        let asked = body.0;
        if asked.serial_numbers.is_empty() || asked.serial_numbers.len() > MOST {
            return Err(Problem::field("serialNumbers", format_args!("must have 1 to {MOST} serial numbers")));
        }
        let hours = asked.validity_hours.unwrap_or(USUAL_VALIDITY_HOURS);
        let context = intent.context(&caller);
        let mut codes = Vec::with_capacity(asked.serial_numbers.len());
        for some in asked.serial_numbers.chunks(AT_ONCE) {
            let issuing = some.iter().map(|number| one(&state, &context, number, asked.device_type_id, hours));
            for (serial_number, issued) in some.iter().zip(join_all(issuing).await) {
                codes.push(match issued {
                    Ok(code) => code,
                    // The platform is failing: fail the request, which can be repeated with the same key.
                    Err(problem) if problem.status >= 500 => return Err(problem),
                    Err(problem) => refused(serial_number, &problem),
                });
            }
        }
        Ok(Json(IssuedCodes { codes }))
    }
}

async fn one(
    state: &State,
    context: &CommandContext,
    serial_number: &str,
    device_type: Option<Uuid>,
    hours: u32,
) -> Result<IssuedCode, Problem> {
    let invalid = domain::device::Error::InvalidSerialNumber;
    let serial_number = serial_number_of(serial_number).ok_or_else(|| Problem::from(Error::Refused(invalid)))?;
    let context = context.step(&format!("claim code for {serial_number}"));
    let device = match (known(state, context.organization, &serial_number).await?, device_type) {
        (Some(device), _) => device,
        (None, Some(device_type)) => {
            let new = new_device(&serial_number, DeviceTypeId(device_type));
            state.commands.register_pending_device(&context, new).await?.device_id
        }
        (None, None) => return Err(Problem::not_found("device; name a deviceTypeId to register it")),
    };
    let issued = state.commands.issue_claim_code(&context, device, hours).await?;
    Ok(IssuedCode {
        serial_number,
        device_id: Some(device.0),
        code: issued.code.map(|code| code.expose().to_owned()),
        expires_at: Some(issued.expires_at.into()),
        error: None,
    })
}

async fn known(state: &State, organization: OrganizationId, serial_number: &str) -> Result<Option<DeviceId>, Problem> {
    state.commands.device_of_serial_number(organization, serial_number).await.map_err(never_refused)
}

fn new_device(serial_number: &str, device_type_id: DeviceTypeId) -> NewDevice {
    NewDevice {
        name: serial_number.to_owned(),
        description: None,
        serial_number: serial_number.to_owned(),
        device_type_id,
        custom_attributes: object(None),
        // Unused until the device enrols: no certificate is issued here.
        certificate_validity_days: 365,
    }
}

fn refused(serial_number: &str, problem: &Problem) -> IssuedCode {
    let field = problem.errors.first().map(|error| error.message.clone());
    let error = field.or_else(|| problem.detail.clone()).unwrap_or_else(|| problem.title.clone());
    IssuedCode {
        serial_number: serial_number.to_owned(),
        device_id: None,
        code: None,
        expires_at: None,
        error: Some(error),
    }
}
