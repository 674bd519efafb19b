//! The five endpoints that every catalogue kind has, as one macro: poem-openapi takes paths, operation ids and
//! summaries from literals, so the endpoints cannot be generic. What they do is generic and lives in the parent module.

/// Declares `Api`, the response of one entry and the page of entries of a catalogue kind.
///
/// - `$definition`: the domain's type; `$request` converts into it, and its rows into `$view`.
/// - `$writers`: the permission that changes need. Reading needs `access::Read`.
/// - `$used_as`: how other entries use this one, if they can; an entry in use cannot be retired.
macro_rules! catalogue_endpoints {
    (
        $definition:ident from $request:ident, shown as $view:ident,
        $response:ident { $entry:ident }, $page:ident { $entries:ident },
        writers $writers:ty, used as $used_as:expr, tag $tag:literal,
        $path:literal {
            $(#[$create_doc:meta])* post $create:literal,
            $(#[$list_doc:meta])* get $list:literal,
        }
        $path_of_one:literal {
            $(#[$get_doc:meta])* get $get:literal,
            $(#[$update_doc:meta])* put $update:literal,
            $(#[$retire_doc:meta])* delete $retire:literal,
        }
    ) => {
        /// The endpoints.
        #[derive(Default)]
        pub struct Api;

        /// One entry.
        #[derive(Debug, Object)]
        #[oai(rename_all = "camelCase")]
        struct $response {
            $entry: $view,
        }

        impl $crate::etag::Versioned for $response {
            fn version(&self) -> i64 {
                self.$entry.entry.version
            }
        }

        impl From<projections::catalogue::EntryRow<$definition>> for $response {
            fn from(row: projections::catalogue::EntryRow<$definition>) -> Self {
                Self { $entry: row.into() }
            }
        }

        page! {
            /// One page of the list.
            $page { $entries: $view }
        }

        #[OpenApi]
        impl Api {
            $(#[$create_doc])*
            #[oai(path = $path, method = "post", tag = $tag, operation_id = $create)]
            async fn create(
                &self,
                state: Data<&State>,
                caller: Allowed<$writers>,
                #[oai(name = "Idempotency-Key")] intent: Intent,
                body: Body<$request>,
            ) -> Result<Created<$response>, Problem> {
                super::entries::define::<$definition, _, _>(&state, &caller, &intent, body.0).await
            }

            $(#[$get_doc])*
            #[oai(path = $path_of_one, method = "get", tag = $tag, operation_id = $get)]
            async fn get(
                &self,
                state: Data<&State>,
                caller: Allowed<access::Read>,
                id: Path<Uuid>,
            ) -> Result<Fetched<$response>, Problem> {
                Ok(Fetched(super::entries::find::<$definition>(&state, &caller, id.0).await?.into()))
            }

            $(#[$list_doc])*
            #[oai(path = $path, method = "get", tag = $tag, operation_id = $list)]
            async fn list(
                &self,
                state: Data<&State>,
                caller: Allowed<access::Read>,
                /// Include retired entries.
                retired: Query<Option<bool>>,
                limit: Query<Option<i64>>,
                offset: Query<Option<i64>>,
                cursor: Cursor,
            ) -> Result<Json<$page>, Problem> {
                let paging = paging(limit, offset, &cursor)?;
                Ok(Json($page::new(super::entries::list::<$definition>(&state, &caller, retired, paging).await?)))
            }

            $(#[$update_doc])*
            #[oai(path = $path_of_one, method = "put", tag = $tag, operation_id = $update)]
            async fn update(
                &self,
                state: Data<&State>,
                caller: Allowed<$writers>,
                #[oai(name = "Idempotency-Key")] intent: Intent,
                #[oai(name = "If-Match")] expected: IfMatch,
                id: Path<Uuid>,
                body: Body<$request>,
            ) -> Result<Revised<$response>, Problem> {
                let write = Write { intent: &intent, expected };
                super::entries::revise::<$definition, _, _>(&state, &caller, write, id.0, body.0).await
            }

            $(#[$retire_doc])*
            #[oai(path = $path_of_one, method = "delete", tag = $tag, operation_id = $retire)]
            async fn retire(
                &self,
                state: Data<&State>,
                caller: Allowed<$writers>,
                #[oai(name = "Idempotency-Key")] intent: Intent,
                #[oai(name = "If-Match")] expected: IfMatch,
                id: Path<Uuid>,
            ) -> Result<Changed<Success>, Problem> {
                let write = Write { intent: &intent, expected };
                super::entries::retire::<$definition>(&state, &caller, write, id.0, $used_as).await
            }
        }
    };
}
pub(super) use catalogue_endpoints;
