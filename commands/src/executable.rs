//! The aggregates that accept commands, what their commands refer to, and when other commands may refer to them.

use cqrs_es::Aggregate;
use domain::Decide;
use domain::activity::{Activity, ActivityCommand};
use domain::activity_template::{ActivityTemplate, ActivityTemplateCommand};
use domain::alarm::{Alarm, AlarmCommand};
use domain::api_key::ApiKey;
use domain::asset::{Asset, AssetCommand};
use domain::asset_tree::{AssetTree, AssetTreeCommand};
use domain::asset_type::AssetType;
use domain::catalogue::asset_profile::ProfileDefinition;
use domain::catalogue::{ActivityType, AssetProfile, EntryCommand, NotificationChannel, ProtocolConverter};
use domain::certificate::Certificate;
use domain::dead_letter::SettledLetter;
use domain::device::{Device, DeviceCommand};
use domain::device_links::{DeviceLinks, DeviceLinksCommand};
use domain::device_type::{DeviceType, DeviceTypeCommand};
use domain::ids::{ActivityTypeId, AssetId, AssetTypeId, DeviceId, DeviceTypeId, OrganizationId};
use domain::notification::Notification;
use domain::organization::Organization;
use domain::rule::{EntityKind, Rule, RuleAction, RuleCommand};
use domain::shelving::Shelving;
use domain::unique_key::UniqueKey;
use domain::user::User;
use eventlog::store::Loaded;
use futures_util::future::BoxFuture;
use uuid::Uuid;

use crate::commands::Commands;
use crate::context::{CommandContext, Receipt};
use crate::error::Error;
use crate::reference::Reference;
use crate::stores::Stored;

/// An aggregate that `Commands::execute` accepts.
pub trait Executable: Aggregate<Command: Clone + Send + Sync> + Clone + Stored {
    /// Decides on a command from the state alone.
    fn decide_on(&self, command: Self::Command) -> Result<Vec<Self::Event>, Self::Error>;

    /// Returns the resources that a command on the aggregate `id` refers to.
    fn references(_id: Uuid, _command: &Self::Command) -> Vec<Reference> {
        vec![]
    }

    /// Returns whether commands of other aggregates may refer to this one.
    fn is_usable(&self) -> bool {
        false
    }

    /// Executes a command: the dispatcher, compiled for this aggregate.
    fn execute<'c>(commands: &'c Commands, job: Job<'c, Self>) -> BoxFuture<'c, Result<Receipt, Error<Self::Error>>>;

    /// Loads an aggregate: from the cache, or `fresh` from the log's leader.
    fn load(commands: &Commands, key: Key, fresh: bool) -> BoxFuture<'_, Result<Loaded<Self>, Error>>;
}

/// A command with everything that the dispatcher needs to execute it.
pub struct Job<'c, A: Aggregate> {
    /// Who executes it, where and why.
    pub context: &'c CommandContext,
    /// The aggregate.
    pub id: Uuid,
    /// The command.
    pub command: A::Command,
    /// The versions of which the aggregate must be at one, if any.
    pub expected: Option<Vec<u64>>,
}

/// Names an aggregate of a known type.
#[derive(Clone, Copy)]
pub struct Key {
    /// Its organisation.
    pub organization: OrganizationId,
    /// Its id.
    pub id: Uuid,
}

macro_rules! executable {
    ($aggregate:ty $(, $method:item)*) => {
        impl Executable for $aggregate {
            fn decide_on(&self, command: Self::Command) -> Result<Vec<Self::Event>, Self::Error> {
                Decide::decide(self, command)
            }

            // Boxed, and instantiated here rather than in the crates that send commands: their handlers' futures would
            // otherwise contain the whole event store, once per handler (a quarter of the compile time of `api`).
            fn execute<'c>(
                commands: &'c Commands,
                job: Job<'c, Self>,
            ) -> BoxFuture<'c, Result<Receipt, Error<Self::Error>>> {
                Box::pin(commands.dispatch(job))
            }

            fn load(commands: &Commands, key: Key, fresh: bool) -> BoxFuture<'_, Result<Loaded<Self>, Error>> {
                Box::pin(commands.load_from_store(key, fresh))
            }

            $($method)*
        }
    };
}

executable!(
    Alarm,
    fn references(_: Uuid, command: &AlarmCommand) -> Vec<Reference> {
        match command {
            AlarmCommand::AssignAlarm { assignee } => assignee.map(Reference::User).into_iter().collect(),
            _ => vec![],
        }
    }
);
executable!(Shelving);
executable!(ApiKey);
executable!(Certificate);
executable!(Notification);
executable!(NotificationChannel);
executable!(Organization);
executable!(SettledLetter);
executable!(UniqueKey);
executable!(
    User,
    fn is_usable(&self) -> bool {
        self.is_active()
    }
);
executable!(
    DeviceType,
    fn references(_: Uuid, command: &DeviceTypeCommand) -> Vec<Reference> {
        match command {
            DeviceTypeCommand::AssignConverter { converter_id: Some(id) } => vec![Reference::ProtocolConverter(*id)],
            _ => vec![],
        }
    },
    fn is_usable(&self) -> bool {
        self.definition.is_some() && !self.retired
    }
);
executable!(
    AssetType,
    fn is_usable(&self) -> bool {
        self.definition.is_some() && !self.retired
    }
);
executable!(
    ActivityType,
    fn is_usable(&self) -> bool {
        self.in_use()
    }
);
executable!(
    ProtocolConverter,
    fn is_usable(&self) -> bool {
        self.in_use()
    }
);
executable!(
    AssetProfile,
    fn references(_: Uuid, command: &EntryCommand<ProfileDefinition>) -> Vec<Reference> {
        match command {
            EntryCommand::Define { definition } | EntryCommand::Revise { definition } => {
                vec![Reference::AssetType(definition.asset_type_id)]
            }
            EntryCommand::Retire {} => vec![],
        }
    },
    fn is_usable(&self) -> bool {
        self.in_use()
    }
);
executable!(
    ActivityTemplate,
    fn references(_: Uuid, command: &ActivityTemplateCommand) -> Vec<Reference> {
        match command {
            ActivityTemplateCommand::DefineTemplate { definition }
            | ActivityTemplateCommand::ReviseTemplate { definition } => {
                definition.activity_type_id.map(|id| Reference::ActivityType(ActivityTypeId(id))).into_iter().collect()
            }
            ActivityTemplateCommand::RetireTemplate {} => vec![],
        }
    },
    fn is_usable(&self) -> bool {
        self.definition.is_some() && !self.retired
    }
);

executable!(
    Device,
    fn references(_: Uuid, command: &DeviceCommand) -> Vec<Reference> {
        match command {
            DeviceCommand::RegisterDevice { device_type_id, .. } => vec![Reference::DeviceType(*device_type_id)],
            _ => vec![],
        }
    },
    fn is_usable(&self) -> bool {
        self.in_service()
    }
);

executable!(
    Asset,
    fn references(_: Uuid, command: &AssetCommand) -> Vec<Reference> {
        match command {
            AssetCommand::RegisterAsset { asset_type_id, profile, .. } => {
                let profile = profile.as_ref().map(|applied| Reference::AssetProfile(applied.profile_id));
                std::iter::once(Reference::AssetType(*asset_type_id)).chain(profile).collect()
            }
            _ => vec![],
        }
    },
    fn is_usable(&self) -> bool {
        self.in_use()
    }
);

executable!(
    AssetTree,
    fn references(_: Uuid, command: &AssetTreeCommand) -> Vec<Reference> {
        match command {
            AssetTreeCommand::PlaceAsset { asset, parent } => {
                vec![Reference::Asset(*asset), Reference::Asset(*parent)]
            }
            AssetTreeCommand::DetachAsset { .. } => vec![],
        }
    }
);

executable!(
    DeviceLinks,
    fn references(id: Uuid, command: &DeviceLinksCommand) -> Vec<Reference> {
        match command {
            DeviceLinksCommand::LinkAsset { asset_id, .. } => {
                vec![Reference::Device(DeviceId(id)), Reference::Asset(*asset_id)]
            }
            DeviceLinksCommand::UnlinkAsset { .. } | DeviceLinksCommand::CorrectLink { .. } => vec![],
        }
    }
);

executable!(
    Rule,
    fn references(_: Uuid, command: &RuleCommand) -> Vec<Reference> {
        match command {
            RuleCommand::DefineRule { definition } => {
                let entity = definition.entity_id.map(|id| entity(definition.entity_type, id));
                let of_type = definition.type_id.map(|id| type_of(definition.entity_type, id));
                entity.into_iter().chain(of_type).chain(template(Some(&definition.action))).collect()
            }
            RuleCommand::ReviseRule { revision } => template(revision.action.as_ref()).into_iter().collect(),
            RuleCommand::RetireRule {} => vec![],
        }
    }
);

executable!(
    Activity,
    fn references(_: Uuid, command: &ActivityCommand) -> Vec<Reference> {
        let user = match command {
            ActivityCommand::CreateActivity { order } => order.assigned_user_id,
            ActivityCommand::AssignActivity { user_id, .. } => *user_id,
            _ => None,
        };
        user.map(Reference::User).into_iter().collect()
    }
);

fn entity(kind: EntityKind, id: Uuid) -> Reference {
    match kind {
        EntityKind::Device => Reference::Device(DeviceId(id)),
        EntityKind::Asset | EntityKind::Space => Reference::Asset(AssetId(id)),
    }
}

fn type_of(kind: EntityKind, id: Uuid) -> Reference {
    match kind {
        EntityKind::Device => Reference::DeviceType(DeviceTypeId(id)),
        EntityKind::Asset | EntityKind::Space => Reference::AssetType(AssetTypeId(id)),
    }
}

fn template(action: Option<&RuleAction>) -> Option<Reference> {
    match action {
        Some(RuleAction::CreateActivity { template_id }) => template_id.map(Reference::ActivityTemplate),
        _ => None,
    }
}
