//! Retires a device type.

use domain::device_type::{DeviceType, DeviceTypeCommand};
use projections::dependents::Referenced;
use projections::type_catalogue::NAME;

use crate::prelude::*;
use crate::routes::ensure_unused::ensure_unused;

/// The endpoint.
#[derive(Default)]
pub struct Api;

#[OpenApi]
impl Api {
    /// Retire a device type
    ///
    /// New devices cannot use it; existing devices keep it.
    #[oai(path = "/device-types/:id", method = "delete", tag = "Tag::DeviceTypes", operation_id = "retireDeviceType")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::WriteTypes>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        #[oai(name = "If-Match")] expected: IfMatch,
        id: Path<Uuid>,
    ) -> Result<Changed<Success>, Problem> {
        ensure_unused(&state, &caller, Referenced::DeviceType, id.0).await?;
        let command = DeviceTypeCommand::RetireDeviceType {};
        let receipt =
            state.commands.execute_at::<DeviceType>(&intent.context(&caller), id.0, command, expected.0).await?;
        wait_until_visible(&state, NAME, receipt).await;
        Ok(Success::at(receipt))
    }
}
