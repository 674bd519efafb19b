//! The topic of a message against the one topic its sender may publish to. Pure; knows no connection.

use domain::ids::{DeviceId, OrganizationId};

use super::refusal::Refusal;
use crate::decide::Topics;

/// Decides whether a device may publish to a topic, or names what is wrong with it.
pub fn authorize_publish(
    organization: OrganizationId,
    device: DeviceId,
    topics: &Topics,
    topic: &[u8],
) -> Result<(), Refusal> {
    if topic == topics.telemetry.as_bytes() {
        return Ok(());
    }
    let Ok(topic) = std::str::from_utf8(topic) else { return Err(Refusal::UnknownTopic) };
    let mut levels = topic.split('/');
    let named = (levels.next(), levels.next(), levels.next(), levels.next(), levels.next());
    match named {
        (Some("v1"), Some("telemetry"), Some(of), Some(from), None) => {
            if of != organization.to_string() {
                Err(Refusal::WrongOrganization)
            } else if from != device.to_string() {
                Err(Refusal::WrongDevice)
            } else {
                Ok(())
            }
        }
        _ => Err(Refusal::UnknownTopic),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_device_publishes_to_its_own_telemetry_topic_and_to_no_other() {
        let (organization, device) = (OrganizationId(Uuid::from_u128(1)), DeviceId(Uuid::from_u128(2)));
        let topics = Topics::of(organization, device);
        let (other, own) = (Uuid::from_u128(9), &topics.telemetry);
        for (topic, expected) in [
            (own.clone(), Ok(())),
            (format!("v1/telemetry/{other}/{device}"), Err(Refusal::WrongOrganization)),
            (format!("v1/telemetry/{other}/{other}"), Err(Refusal::WrongOrganization)),
            (format!("v1/telemetry/{organization}/{other}"), Err(Refusal::WrongDevice)),
            (format!("v1/telemetry/{organization}/+"), Err(Refusal::WrongDevice)),
            (format!("v1/telemetry/{organization}"), Err(Refusal::UnknownTopic)),
            (format!("{own}/more"), Err(Refusal::UnknownTopic)),
            (format!("/{own}"), Err(Refusal::UnknownTopic)),
            (format!("v2/telemetry/{organization}/{device}"), Err(Refusal::UnknownTopic)),
            (topics.commands.clone(), Err(Refusal::UnknownTopic)),
            (String::new(), Err(Refusal::UnknownTopic)),
        ] {
            assert_eq!(authorize_publish(organization, device, &topics, topic.as_bytes()), expected, "{topic}");
        }
        assert_eq!(authorize_publish(organization, device, &topics, b"\xff/\xfe"), Err(Refusal::UnknownTopic));
    }
}
