//! What the hot path must know of devices, links, types and rules, folded from events and answered as of a position in
//! the log. What does not live here: reading the log.

mod entries;
mod fold;
mod lookup;
#[cfg(test)]
mod tests;
mod versions;

pub use entries::{
    AssetEntry, AssetTypeEntry, AuthorityEntry, CertificateEntry, ChannelEntry, DeviceEntry, DeviceTypeEntry,
    OrganizationEntry, RuleEntry, TemplateEntry,
};
pub use lookup::Directory;
pub use versions::Versions;
