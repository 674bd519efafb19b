//! Pagination of lists by `limit` and `cursor`, or `offset`.

use data_encoding::BASE64URL_NOPAD;
use poem_openapi::param::Query;
use projections::{Page, PageCursor, Paging};
use uuid::Uuid;

use crate::problem::Problem;

/// Largest accepted `limit`.
pub const MOST: i64 = 1000;

/// The `cursor` parameter of a list: the `nextCursor` of the previous page.
pub type Cursor = Query<Option<String>>;

/// Returns the requested page: by default the first 50 items.
pub fn paging(limit: Query<Option<i64>>, offset: Query<Option<i64>>, cursor: &Cursor) -> Result<Paging, Problem> {
    let usual = Paging::default();
    let (limit, offset) = (limit.0.unwrap_or(usual.limit), offset.0.unwrap_or(usual.offset));
    if !(1..=MOST).contains(&limit) {
        return Err(Problem::parameter("limit", format_args!("must be from 1 to {MOST}")));
    }
    if offset < 0 {
        return Err(Problem::parameter("offset", "must not be negative"));
    }
    Ok(Paging { limit, offset, after: cursor.0.as_deref().map(place).transpose()? })
}

/// The requested page of a list that is held in memory as a whole.
pub struct InMemoryPaging {
    limit: usize,
    offset: usize,
    after: Option<Uuid>,
}

impl InMemoryPaging {
    /// Reads the parameters: by default the first 50 items. The cursor is the id of the last item of the previous page.
    pub fn new(limit: Query<Option<i64>>, offset: Query<Option<i64>>, cursor: &Cursor) -> Result<Self, Problem> {
        let paging = paging(limit, offset, &Query(None))?;
        let after = cursor.0.as_deref().map(str::parse).transpose().map_err(|_| unknown_cursor())?;
        let size = |number: i64| usize::try_from(number).unwrap_or_default();
        Ok(Self { limit: size(paging.limit), offset: size(paging.offset), after })
    }

    /// Returns the requested page of `items`; refuses a cursor that names none of them.
    pub fn page<T>(&self, items: Vec<T>, id: impl Fn(&T) -> Uuid) -> Result<ListPage<T>, Problem> {
        let total = i64::try_from(items.len()).unwrap_or(i64::MAX);
        let start = match self.after {
            Some(after) => items.iter().position(|item| id(item) == after).ok_or_else(unknown_cursor)? + 1,
            None => self.offset,
        };
        let goes_on = items.len() > start.saturating_add(self.limit);
        let items: Vec<T> = items.into_iter().skip(start).take(self.limit).collect();
        let next_cursor = items.last().filter(|_| goes_on).map(|item| id(item).to_string());
        Ok(ListPage { items, total, next_cursor })
    }
}

/// One page of a list, as responses show it.
pub struct ListPage<T> {
    /// The items of this page.
    pub items: Vec<T>,
    /// The number of items on all pages.
    pub total: i64,
    /// The `cursor` of the next page; none on the last one.
    pub next_cursor: Option<String>,
}

impl<T> ListPage<T> {
    /// Returns the page with every item converted.
    pub fn map<U>(self, convert: impl FnMut(T) -> U) -> ListPage<U> {
        let items = self.items.into_iter().map(convert).collect();
        ListPage { items, total: self.total, next_cursor: self.next_cursor }
    }
}

impl<T> From<Page<T>> for ListPage<T> {
    fn from(page: Page<T>) -> Self {
        Self { items: page.items, total: page.total, next_cursor: next_cursor(page.next) }
    }
}

/// Declares the response of a list endpoint: fields of its own, if any, then one page of items, their total number and
/// the cursor of the next page. A macro, because the OpenAPI document takes its schema names from the structs.
macro_rules! page {
    (
        $(#[$doc:meta])*
        $name:ident $(($($(#[$field_doc:meta])* $field:ident: $kind:ty),*))? { $items:ident: $item:ident }
    ) => {
        $(#[$doc])*
        #[derive(Object)]
        #[oai(rename_all = "camelCase")]
        struct $name {
            $($($(#[$field_doc])* $field: $kind,)*)?
            $items: Vec<$item>,
            total: i64,
            /// The `cursor` of the next page; absent on the last page.
            #[oai(skip_serializing_if_is_none)]
            next_cursor: Option<String>,
        }

        impl $name {
            fn new<T: Into<$item>>(
                $($($field: $kind,)*)?
                page: impl Into<$crate::routes::paging::ListPage<T>>,
            ) -> Self {
                let page = page.into().map(Into::into);
                Self { $($($field,)*)? $items: page.items, total: page.total, next_cursor: page.next_cursor }
            }
        }
    };
}
pub(crate) use page;

fn next_cursor(next: Option<PageCursor>) -> Option<String> {
    next.map(|place| BASE64URL_NOPAD.encode(place.to_string().as_bytes()))
}

fn place(cursor: &str) -> Result<PageCursor, Problem> {
    let read = || String::from_utf8(BASE64URL_NOPAD.decode(cursor.as_bytes()).ok()?).ok()?.parse().ok();
    read().ok_or_else(unknown_cursor)
}

fn unknown_cursor() -> Problem {
    Problem::parameter("cursor", "is not the nextCursor of this list")
}
