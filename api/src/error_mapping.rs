//! Maps every error to its problem details: the one table of HTTP statuses. The shape of problems lives in `problem`.

use commands::{Error as CommandError, Reference, SessionError, SignInError, api_key, device, user};
use domain::catalogue::EntryError;
use domain::catalogue::activity_type::ActivityTypeDefinition;
use domain::catalogue::asset_profile::{ProfileDefinition, Refusal as ProfileRefusal};
use domain::catalogue::notification_channel::{ChannelDefinition, Refusal as ChannelRefusal};
use domain::catalogue::protocol_converter::{ConverterDefinition, Refusal as ConverterRefusal};
use domain::{
    activity, activity_template, alarm, asset, asset_tree, asset_type, certificate, dead_letter, device_links,
    device_type,
};
use domain::{notification, organization, rule, shelving};
use eventlog::error_chain;

use crate::problem::{FieldError, Kind, Problem};

/// A domain error that maps to a problem.
pub trait Refusal: std::error::Error {
    /// Returns the problem.
    fn problem(&self) -> Problem;
}

impl<E: Refusal> From<CommandError<E>> for Problem {
    fn from(error: CommandError<E>) -> Self {
        match error {
            CommandError::Refused(refusal) => refusal.problem(),
            CommandError::Missing(reference) => missing(reference),
            other => failed(&other),
        }
    }
}

/// Maps the error of a command whose aggregate cannot refuse it.
pub fn never_refused(error: CommandError) -> Problem {
    match error {
        CommandError::Missing(reference) => missing(reference),
        other => failed(&other),
    }
}

impl From<projections::Error> for Problem {
    fn from(error: projections::Error) -> Self {
        if let projections::Error::Cursor(_) = error {
            return Self::parameter("cursor", "is not the nextCursor of this list");
        }
        tracing::error!(error = error_chain(&error), "reading a read model failed");
        match error {
            projections::Error::Row { .. } | projections::Error::Checkpoint { .. } => Self::new(Kind::Internal),
            _ => Self::of(Kind::Unavailable, "the read models do not answer; try again"),
        }
    }
}

impl From<projections::WaitError> for Problem {
    fn from(error: projections::WaitError) -> Self {
        match error {
            projections::WaitError::Position(error) => error.into(),
            late => Self::of(Kind::NotYetVisible, late),
        }
    }
}

impl From<SignInError> for Problem {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::WrongCredentials => Self::new(Kind::WrongCredentials),
            SignInError::Deactivated | SignInError::OrganizationSuspended => Self::of(Kind::Forbidden, error),
            SignInError::Unavailable(cause) => {
                tracing::error!(error = error_chain(cause.as_ref()), "signing in failed");
                Self::of(Kind::Unavailable, "signing in is not possible at the moment; try again")
            }
        }
    }
}

impl From<SessionError> for Problem {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Over => Self::of(Kind::Unauthenticated, error),
            SessionError::Deactivated | SessionError::OrganizationSuspended => Self::of(Kind::Forbidden, error),
            SessionError::Unavailable(cause) => {
                tracing::error!(error = error_chain(cause.as_ref()), "renewing a session failed");
                Self::of(Kind::Unavailable, "sessions cannot be renewed now; try again")
            }
        }
    }
}

fn failed<E: std::error::Error>(error: &CommandError<E>) -> Problem {
    match error {
        CommandError::Conflict => Problem::of(Kind::Contention, error),
        CommandError::TooLarge { .. } => Problem::of(Kind::TooLarge, error),
        CommandError::Stale { .. } => Problem::of(Kind::PreconditionFailed, error),
        CommandError::LogFull => {
            tracing::error!("the log is full; rejecting commands");
            Problem::of(Kind::LogFull, "nothing was stored; old data must be archived, or the limit raised")
        }
        CommandError::OutcomeUnknown(cause) => {
            tracing::error!(error = error_chain(cause.as_ref()), "outcome of a command unknown");
            Problem::of(Kind::OutcomeUnknown, "repeat the request with the same Idempotency-Key")
        }
        CommandError::Unavailable(cause) => {
            tracing::error!(error = error_chain(cause.as_ref()), "the log does not answer");
            Problem::of(Kind::Unavailable, "the log does not answer; try again")
        }
        other => {
            tracing::error!(error = error_chain(other), "command failed");
            Problem::new(Kind::Internal)
        }
    }
}

fn missing(reference: Reference) -> Problem {
    let field = match reference {
        Reference::DeviceType(_) => "deviceTypeId",
        Reference::Device(_) => "deviceId",
        Reference::AssetType(_) => "assetTypeId",
        Reference::Asset(_) => "assetId",
        Reference::AssetProfile(_) => "profileId",
        Reference::ActivityType(_) => "activityTypeId",
        Reference::ProtocolConverter(_) => "converterId",
        Reference::ActivityTemplate(_) => "templateId",
        Reference::User(_) => "userId",
    };
    let message = format!("{reference} does not exist or is retired");
    let errors = vec![FieldError { field: field.to_owned(), message: message.clone() }];
    Problem { errors, ..Problem::of(Kind::UnknownReference, message) }
}

macro_rules! refusals {
    ($($error:ty { $($pattern:pat => $kind:tt $(($field:expr))?),* $(,)? })*) => {$(
        impl Refusal for $error {
            #[allow(unused_imports)]
            fn problem(&self) -> Problem {
                use $error as Error;
                match self { $($pattern => refusals!(@problem self, $kind $(($field))?)),* }
            }
        }
    )*};
    (@problem $error:ident, field($field:expr)) => { Problem::field(&$field, $error) };
    (@problem $error:ident, inner($inner:expr)) => { $inner.problem() };
    (@problem $error:ident, $kind:ident) => { Problem::of(Kind::$kind, $error) };
}

type ActivityTypeError = EntryError<ActivityTypeDefinition>;
type AssetProfileError = EntryError<ProfileDefinition>;
type ChannelError = EntryError<ChannelDefinition>;
type ConverterError = EntryError<ConverterDefinition>;

refusals! {
    organization::Error {
        Error::NotFound => NotFound,
        Error::AlreadyExists => AlreadyExists,
        Error::InvalidName => field("name"),
        Error::InvalidOverlap { .. } => field("overlapDays"),
        Error::InvalidNotice { .. } => field("noticeDays"),
        Error::InvalidRetention { .. } => field("days"),
        Error::Suspended => WrongState,
    }
    user::Refusal {
        Error::User(inner) => inner(inner),
        Error::Organization(inner) => inner(inner),
        Error::InvalidEmail => field("email"),
        Error::EmailTaken => AlreadyExists,
        Error::InvalidName => field("name"),
        Error::InvalidPassword => field("password"),
    }
    domain::user::Error {
        Error::NotFound => NotFound,
        Error::AlreadyExists => AlreadyExists,
        Error::Deactivated | Error::Erased => WrongState,
        Error::InvalidWorkRole { .. } => field("workRoles"),
    }
    api_key::Refusal {
        Error::ApiKey(inner) => inner(inner),
        Error::Organization(inner) => inner(inner),
        Error::InvalidValidity { .. } => field("validityDays"),
    }
    domain::api_key::Error {
        Error::NotFound => NotFound,
        Error::AlreadyExists => AlreadyExists,
        Error::InvalidName => field("name"),
        Error::InvalidExpiry => field("validityDays"),
        Error::RoleTooHigh { .. } => Forbidden,
    }
    device_type::Error {
        Error::NotFound => NotFound,
        Error::AlreadyExists => AlreadyExists,
        Error::Retired => WrongState,
        Error::InvalidName => field("name"),
        Error::InvalidMetricKey { .. } | Error::DuplicateMetric { .. } | Error::InvalidRange { .. } => field("metrics"),
    }
    asset_type::Error {
        Error::NotFound => NotFound,
        Error::AlreadyExists => AlreadyExists,
        Error::Retired => WrongState,
        Error::InvalidName => field("name"),
        Error::InvalidBand { .. } => field("healthModel.bands"),
        Error::InvalidFormula { .. } | Error::TooManyComputed => field("derivedMetrics"),
        Error::InvalidBound => field("staleAfterSeconds"),
        Error::InvalidWeight => field("healthModel.children.weight"),
        Error::InvalidMetricKey { .. } | Error::DuplicateMetric { .. } => field("metricKey"),
    }
    device::Refusal {
        Error::Device(inner) => inner(inner),
        Error::Certificate(inner) => inner(inner),
        Error::Organization(inner) => inner(inner),
        Error::SerialNumberTaken { .. } => AlreadyExists,
        Error::NoAuthority => WrongState,
        Error::InvalidValidity { .. } | Error::OutlivesAuthority { .. } => field("certificateValidityDays"),
        Error::InvalidTokenValidity { .. } => field("validityDays"),
        Error::InvalidClaimCodeValidity { .. } => field("validityHours"),
        Error::InvalidOverlap { .. } => field("overlapDays"),
        Error::SigningRequest(_) | Error::CompromisedKey => field("csr"),
        Error::PresentedCertificate(_) | Error::PresentedRevoked => Unauthenticated,
    }
    domain::device::Error {
        Error::NotFound => NotFound,
        Error::AlreadyExists => AlreadyExists,
        Error::Decommissioned => WrongState,
        Error::InvalidName => field("name"),
        Error::InvalidSerialNumber | Error::SameSerialNumber => field("serialNumber"),
        Error::InvalidAttributes => field("customAttributes"),
        Error::InvalidLabel => field("label"),
        Error::TooManyTokens { .. } => WrongState,
        Error::NoSuchToken => NotFound,
        Error::WrongClaimCode => WrongClaimCode,
        Error::ClaimCodeUsed | Error::ClaimCodeExpired => Gone,
    }
    certificate::Error {
        Error::NotFound => NotFound,
        Error::AlreadyIssued => AlreadyExists,
        Error::AlreadyRevoked => WrongState,
        Error::InvalidWindow => field("validityDays"),
    }
    asset::Error {
        Error::NotFound => NotFound,
        Error::AlreadyExists => AlreadyExists,
        Error::Retired => WrongState,
        Error::InvalidName => field("name"),
        Error::InvalidKind => field("kind"),
        Error::InvalidLocation => field("location"),
        Error::InvalidAttributes => field("customAttributes"),
        Error::InvalidReason => field("reason"),
    }
    asset_tree::Error {
        Error::Cycle { .. } => field("parentId"),
    }
    device_links::Error {
        Error::NotLinked { .. } | Error::NoSuchLink => NotFound,
        Error::InvalidReason => field("reason"),
        Error::Overlaps { .. } => WrongState,
        Error::InvalidWindow => field("validUntil"),
        Error::InvalidMapping { .. } => field("metricsMapping"),
    }
    ActivityTypeError {
        Error::NotFound => NotFound,
        Error::AlreadyExists => AlreadyExists,
        Error::Retired => WrongState,
        Error::Invalid(_) => field("name"),
    }
    ChannelError {
        Error::NotFound => NotFound,
        Error::AlreadyExists => AlreadyExists,
        Error::Retired => WrongState,
        Error::Invalid(ChannelRefusal::InvalidName) => field("name"),
        Error::Invalid(ChannelRefusal::InvalidUrl) => field("medium.url"),
        Error::Invalid(ChannelRefusal::InvalidWorkRoles) => field("medium.workRoles"),
    }
    AssetProfileError {
        Error::NotFound => NotFound,
        Error::AlreadyExists => AlreadyExists,
        Error::Retired => WrongState,
        Error::Invalid(ProfileRefusal::InvalidName) => field("name"),
        Error::Invalid(ProfileRefusal::InvalidAttributes) => field("defaultAttributes"),
        Error::Invalid(ProfileRefusal::InvalidThresholds) => field("defaultHealthThresholds"),
        Error::Invalid(ProfileRefusal::InvalidMapping { .. }) => field("telemetryMappings"),
    }
    ConverterError {
        Error::NotFound => NotFound,
        Error::AlreadyExists => AlreadyExists,
        Error::Retired => WrongState,
        Error::Invalid(ConverterRefusal::InvalidName) => field("name"),
        Error::Invalid(ConverterRefusal::RuleCount) => field("rules"),
        Error::Invalid(ConverterRefusal::InvalidRule { index, .. }) => field(format!("rules[{index}]")),
        Error::Invalid(ConverterRefusal::InvalidPath { of_frame: true, .. }) => field("frame.path"),
        Error::Invalid(ConverterRefusal::InvalidPath { of_frame: false, .. }) => field("timePath"),
        Error::Invalid(ConverterRefusal::InvalidSchema { .. }) => field("targetSchema"),
    }
    rule::Error {
        Error::NotFound => NotFound,
        Error::AlreadyExists => AlreadyExists,
        Error::InvalidName => field("name"),
        Error::InvalidMetricKey => field("metricKey"),
        Error::InvalidCondition { reason } => field(condition_field(reason)),
        Error::EntityAndType => field("typeId"),
        Error::InvalidWebhook => field("action.url"),
        Error::InvalidCooldown => field("cooldownSeconds"),
    }
    activity_template::Error {
        Error::NotFound => NotFound,
        Error::AlreadyExists => AlreadyExists,
        Error::Retired => WrongState,
        Error::InvalidName => field("name"),
        Error::InvalidDueHours => field("defaultDueHours"),
        Error::InvalidChecklistItem { index } => field(format!("checklist[{index}].item")),
    }
    activity::Error {
        Error::NotFound => NotFound,
        Error::AlreadyExists => AlreadyExists,
        Error::InvalidName => field("name"),
        Error::NoAssignee => field("assignedToUserId"),
        Error::NoSuchItem { .. } => NotFound,
        Error::ItemsOpen { .. } | Error::WrongStatus { .. } => WrongState,
        Error::InvalidComment => field("text"),
        Error::InvalidChecklistItem { index } => field(format!("checklist[{index}].item")),
    }
    dead_letter::Error {
        Error::Settled => WrongState,
        Error::NoSender | Error::Cut | Error::Unreadable => WrongState,
        Error::InvalidComment => field("comment"),
    }
    alarm::Error {
        Error::NotFound => NotFound,
        Error::AlreadyRaised => AlreadyExists,
        Error::Closed => WrongState,
        Error::InvalidComment => field("text"),
        Error::InvalidReason => field("reason"),
    }
    notification::Error {
        Error::NotFound => NotFound,
        Error::NotDue | Error::NotFailed => WrongState,
    }
    shelving::Error {
        Error::InvalidUntil => field("until"),
        Error::InvalidReason => field("reason"),
    }
}

/// Returns the field that a condition's reason blames: the reason begins with its name.
fn condition_field(reason: &str) -> String {
    let first = reason.split(' ').next().unwrap_or_default();
    match first {
        "value" | "upper" | "deadBand" | "durationSeconds" | "maxGapSeconds" | "noDataSeconds" => {
            format!("condition.{first}")
        }
        _ => "condition".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use domain::ids::DeviceTypeId;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_domain_error_keeps_its_text_and_names_its_field() {
        let problem = Problem::from(CommandError::Refused(rule::Error::InvalidCooldown));
        assert_eq!((problem.status, problem.errors[0].field.as_str()), (422, "cooldownSeconds"));
        let problem =
            Problem::from(CommandError::Refused(rule::Error::InvalidCondition { reason: "value must be …" }));
        assert_eq!(problem.errors[0].field, "condition.value");
        let problem = Problem::from(CommandError::Refused(device::Refusal::Device(domain::device::Error::NotFound)));
        assert_eq!((problem.status, problem.detail.as_deref()), (404, Some("no such device")));
        let refusal = activity::Error::InvalidChecklistItem { index: 2 };
        assert_eq!(Problem::from(CommandError::Refused(refusal)).errors[0].field, "checklist[2].item");
    }

    #[test]
    fn a_missing_reference_names_its_field() {
        let reference = Reference::DeviceType(DeviceTypeId(Uuid::nil()));
        let problem = Problem::from(CommandError::<domain::device::Error>::Missing(reference));
        assert_eq!((problem.status, problem.kind.as_str()), (422, "urn:argusiq:problem:unknown-reference"));
        assert_eq!(problem.errors[0].field, "deviceTypeId");
    }

    #[test]
    fn platform_failures_have_statuses_of_their_own() {
        let of = |error: CommandError<alarm::Error>| Problem::from(error).status;
        let cause = || commands::Cause::from("x");
        assert_eq!(of(CommandError::Conflict), 409);
        assert_eq!(of(CommandError::LogFull), 507);
        assert_eq!(of(CommandError::OutcomeUnknown(cause())), 503);
        assert_eq!(of(CommandError::Unavailable(cause())), 503);
        assert_eq!(of(CommandError::Internal(cause())), 500);
    }
}
