//! An in-memory index of organisations, devices, links, types, rules and other catalogue entries, folded from events
//! and readable as of any log position. Following the log lives in the `processing` and `ingest` crates.

mod entries;
mod fold;
mod lookup;
#[cfg(test)]
mod tests;
mod versions;
mod view;

pub use entries::{
    AssetEntry, AssetTypeEntry, AuthorityEntry, CertificateEntry, ChannelEntry, DeviceEntry, DeviceTypeEntry,
    OrganizationEntry, RuleEntry, TemplateEntry,
};
pub use lookup::Directory;
pub use versions::Versions;
pub use view::DirectoryView;
