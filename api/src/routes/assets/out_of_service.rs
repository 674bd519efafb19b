//! Takes an asset out of service for a time, and returns it to service.

use domain::asset::{Asset, AssetCommand};

use super::view::{AssetResponse, after_write};
use crate::auth::Caller;
use crate::prelude::*;

/// The endpoints.
#[derive(Default)]
pub struct Api;

/// Why the asset is taken out of service.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct OutOfService {
    #[oai(validator(min_length = 1, max_length = 4000))]
    reason: String,
}

#[OpenApi]
impl Api {
    /// Take an asset out of service
    ///
    /// Until it is back in service, alarms on the asset, on assets below it and on devices that feed no other asset are
    /// recorded but create no activities and no notifications.
    #[oai(
        path = "/assets/:id/out-of-service",
        method = "post",
        tag = "Tag::Assets",
        operation_id = "takeAssetOutOfService"
    )]
    async fn take_out_of_service(
        &self,
        state: Data<&State>,
        caller: Allowed<access::WriteAssets>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        #[oai(name = "If-Match")] expected: IfMatch,
        id: Path<Uuid>,
        body: Body<OutOfService>,
    ) -> Result<Revised<AssetResponse>, Problem> {
        let command = AssetCommand::TakeAssetOutOfService { reason: body.0.reason };
        change(&state, &caller, Write { intent: &intent, expected }, id.0, command).await
    }

    /// Return an asset to service
    #[oai(path = "/assets/:id/in-service", method = "post", tag = "Tag::Assets", operation_id = "returnAssetToService")]
    async fn return_to_service(
        &self,
        state: Data<&State>,
        caller: Allowed<access::WriteAssets>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        #[oai(name = "If-Match")] expected: IfMatch,
        id: Path<Uuid>,
    ) -> Result<Revised<AssetResponse>, Problem> {
        change(&state, &caller, Write { intent: &intent, expected }, id.0, AssetCommand::ReturnAssetToService {}).await
    }
}

async fn change(
    state: &State,
    caller: &Caller,
    write: Write<'_>,
    id: Uuid,
    command: AssetCommand,
) -> Result<Revised<AssetResponse>, Problem> {
    let receipt =
        state.commands.execute_at::<Asset>(&write.intent.context(caller), id, command, write.expected.0).await?;
    Ok(Revised(after_write(state, caller, id, receipt).await?, Some(receipt)))
}
