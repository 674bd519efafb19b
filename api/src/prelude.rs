//! Re-exports what nearly every endpoint uses.

pub use chrono::{DateTime, Utc};
pub use poem::web::Data;
pub use poem_openapi::param::{Path, Query};
pub use poem_openapi::payload::Json;
pub use poem_openapi::{Object, OpenApi};
pub use serde_json::Value;
pub use uuid::Uuid;

pub use crate::access;
pub use crate::auth::Allowed;
pub use crate::body::Body;
pub use crate::etag::IfMatch;
pub(crate) use crate::etag::versioned;
pub use crate::intent::{Intent, Write};
pub use crate::problem::{Kind, Problem};
pub use crate::responses::{Changed, Created, Fetched, IssuedOnce, Revised, Success};
pub use crate::routes::as_of::{AsOf, point_in_time};
pub(crate) use crate::routes::paging::page;
pub use crate::routes::paging::{Cursor, InMemoryPaging, paging};
pub use crate::routes::read_your_writes::wait_until_visible;
pub use crate::routes::tags::Tag;
pub use crate::state::State;
pub use crate::time::Time;
