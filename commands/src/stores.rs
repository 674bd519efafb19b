//! One event store for each aggregate type, and the feed that updates their caches.

use std::sync::Arc;

use cqrs_es::Aggregate;
use domain::activity::Activity;
use domain::activity_template::ActivityTemplate;
use domain::alarm::Alarm;
use domain::api_key::ApiKey;
use domain::asset::Asset;
use domain::asset_tree::AssetTree;
use domain::asset_type::AssetType;
use domain::catalogue::{ActivityType, AssetProfile, NotificationChannel, ProtocolConverter};
use domain::certificate::Certificate;
use domain::dead_letter::SettledLetter;
use domain::device::Device;
use domain::device_links::DeviceLinks;
use domain::device_type::DeviceType;
use domain::notification::Notification;
use domain::organization::Organization;
use domain::rule::Rule;
use domain::shelving::Shelving;
use domain::unique_key::UniqueKey;
use domain::user::User;
use eventlog::store::{AggregateStore, CacheFeed, Journal, StoreSettings};
use eventlog::{Log, Upcasters};

/// How many of its most recent command ids an aggregate remembers, to recognise a repeat without searching the log. An
/// older repeat is still recognised if it would be refused or change nothing, because then the log is searched.
const REMEMBERED_COMMANDS: usize = 256;
/// The same for an organisation's asset tree, which a single import may change thousands of times.
const REMEMBERED_TREE_COMMANDS: usize = 2048;

/// An aggregate with a store of its own.
pub trait Stored: Aggregate + Clone {
    /// How many of its most recent command ids are remembered.
    const REMEMBERED_COMMANDS: usize;

    /// Returns its store.
    fn store(stores: &Stores) -> &AggregateStore<Self>;
}

macro_rules! stores {
    ($($field:ident: $aggregate:ty, $remembered:expr;)*) => {
        /// All event stores.
        pub struct Stores { $($field: AggregateStore<$aggregate>),* }

        impl Stores {
            /// Opens all stores on the given journal, or on JetStream if there is none.
            pub(crate) fn new(log: &Log, journal: Option<Arc<dyn Journal>>) -> Self {
                Self { $($field: store(log, journal.as_ref())),* }
            }

            pub(crate) fn feed(&self, log: &Log) -> CacheFeed {
                CacheFeed::new(log)$(.serve(&self.$field))*
            }
        }

        $(impl Stored for $aggregate {
            const REMEMBERED_COMMANDS: usize = $remembered;

            fn store(stores: &Stores) -> &AggregateStore<Self> {
                &stores.$field
            }
        })*
    };
}

stores! {
    activity: Activity, REMEMBERED_COMMANDS;
    activity_type: ActivityType, REMEMBERED_COMMANDS;
    activity_template: ActivityTemplate, REMEMBERED_COMMANDS;
    alarm: Alarm, REMEMBERED_COMMANDS;
    api_key: ApiKey, REMEMBERED_COMMANDS;
    asset: Asset, REMEMBERED_COMMANDS;
    asset_profile: AssetProfile, REMEMBERED_COMMANDS;
    asset_tree: AssetTree, REMEMBERED_TREE_COMMANDS;
    asset_type: AssetType, REMEMBERED_COMMANDS;
    certificate: Certificate, REMEMBERED_COMMANDS;
    dead_letter: SettledLetter, REMEMBERED_COMMANDS;
    device: Device, REMEMBERED_COMMANDS;
    device_links: DeviceLinks, REMEMBERED_COMMANDS;
    device_type: DeviceType, REMEMBERED_COMMANDS;
    notification_channel: NotificationChannel, REMEMBERED_COMMANDS;
    notification: Notification, REMEMBERED_COMMANDS;
    organization: Organization, REMEMBERED_COMMANDS;
    protocol_converter: ProtocolConverter, REMEMBERED_COMMANDS;
    rule: Rule, REMEMBERED_COMMANDS;
    shelving: Shelving, REMEMBERED_COMMANDS;
    unique_key: UniqueKey, REMEMBERED_COMMANDS;
    user: User, REMEMBERED_COMMANDS;
}

fn store<A: Stored>(log: &Log, journal: Option<&Arc<dyn Journal>>) -> AggregateStore<A> {
    let upcasters = Upcasters::of(domain::CONVERSIONS);
    let settings = StoreSettings { recent_commands: A::REMEMBERED_COMMANDS, ..StoreSettings::default() };
    match journal {
        Some(journal) => AggregateStore::with_journal(journal.clone(), log, upcasters, settings),
        None => AggregateStore::new(log.clone(), upcasters, settings),
    }
}
