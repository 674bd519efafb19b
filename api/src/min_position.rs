//! Reads that must see an earlier write: `?minPosition=` waits until the read model has applied that position of its
//! stream. Writes wait for their own result in `routes::read_your_writes`.

use std::time::Duration;

use eventlog::Stream;
use poem::http::{Method, header};
use poem::{Endpoint, Middleware, Request};
use projections::{
    activity_board, alarm_board, asset_directory, audit_log, catalogue, certificate_register, dead_letters,
    device_directory, notification_outbox, rule_book, system_events, tenant_register, type_catalogue,
};

use crate::problem::Problem;
use crate::state::State;

/// The query parameter: an `X-Log-Position` of an earlier response.
pub const MIN_POSITION: &str = "minPosition";

/// How long a read waits at most.
const WAIT: Duration = Duration::from_secs(3);

/// The first path segment below `/api/v1/`, the read model behind it, and the stream that the read model folds.
const READ_MODELS: &[(&str, &str, Stream)] = &[
    ("activities", activity_board::NAME, Stream::EsActivity),
    ("activity-templates", rule_book::NAME, Stream::Es),
    ("activity-types", catalogue::NAME, Stream::Es),
    ("alarms", alarm_board::NAME, Stream::EsAlarm),
    ("asset-profiles", catalogue::NAME, Stream::Es),
    ("asset-types", type_catalogue::NAME, Stream::Es),
    ("assets", asset_directory::NAME, Stream::Es),
    ("audit", audit_log::NAME, Stream::Es),
    ("certificates", certificate_register::NAME, Stream::Es),
    ("dead-letters", dead_letters::NAME, Stream::Es),
    ("device-types", type_catalogue::NAME, Stream::Es),
    ("devices", device_directory::NAME, Stream::Es),
    ("events", system_events::NAME, Stream::Es),
    ("notification-channels", catalogue::NAME, Stream::Es),
    ("notifications", notification_outbox::NAME, Stream::EsActivity),
    ("organizations", tenant_register::NAME, Stream::Es),
    ("protocol-converters", catalogue::NAME, Stream::Es),
    ("rules", rule_book::NAME, Stream::Es),
    ("users", tenant_register::NAME, Stream::Es),
];

/// The middleware that waits.
#[derive(Clone, Copy, Debug)]
pub struct MinPosition;

impl<E: Endpoint> Middleware<E> for MinPosition {
    type Output = Waiting<E>;

    fn transform(&self, inner: E) -> Self::Output {
        Waiting(inner)
    }
}

/// An endpoint behind [`MinPosition`].
pub struct Waiting<E>(E);

impl<E: Endpoint> Endpoint for Waiting<E> {
    type Output = E::Output;

    async fn call(&self, request: Request) -> poem::Result<E::Output> {
        // A request without credentials is refused later anyway; waiting would only hold its connection open.
        let headers = request.headers();
        let has_credentials = headers.contains_key(header::AUTHORIZATION) || headers.contains_key("X-API-Key");
        if request.method() == Method::GET
            && has_credentials
            && let Some(position) = wanted(request.uri().query().unwrap_or_default())
        {
            wait(&request, position?).await?;
        }
        self.0.call(request).await
    }
}

fn wanted(query: &str) -> Option<Result<u64, Problem>> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let value = pairs.filter(|(name, _)| *name == MIN_POSITION).map(|(_, value)| value).next()?;
    Some(value.parse().map_err(|_| Problem::parameter(MIN_POSITION, "must be a log position: a whole number from 0")))
}

async fn wait(request: &Request, position: u64) -> Result<(), Problem> {
    let Some((read_model, stream)) = read_model(request.uri().path()) else {
        return Err(Problem::parameter(MIN_POSITION, "is not supported on this path"));
    };
    let Some(state) = request.data::<State>() else { return Ok(()) };
    Ok(state.reader.wait_for(read_model, stream, position, WAIT).await?)
}

/// Returns the read model behind a path: a resource's history comes from the audit log.
fn read_model(path: &str) -> Option<(&'static str, Stream)> {
    let mut parts = path.trim_start_matches('/').split('/').skip_while(|part| matches!(*part, "api" | "v1"));
    let noun = parts.next()?;
    let (_, name, stream) = READ_MODELS.iter().find(|(known, ..)| *known == noun)?;
    Some(if parts.last() == Some("history") { (audit_log::NAME, *stream) } else { (name, *stream) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_path_has_its_read_model() {
        assert_eq!(read_model("/devices"), Some(("device_directory", Stream::Es)));
        assert_eq!(read_model("/alarms/x"), Some(("alarm_board", Stream::EsAlarm)));
        assert_eq!(read_model("/devices/x/history"), Some(("audit_log", Stream::Es)));
        assert_eq!(read_model("/telemetry/device/x"), None);
    }

    #[test]
    fn the_parameter_is_a_whole_number() {
        assert!(wanted("limit=1").is_none());
        assert_eq!(wanted("limit=1&minPosition=7").unwrap().unwrap(), 7);
        assert_eq!(wanted("minPosition=-1").unwrap().unwrap_err().status, 400);
    }
}
