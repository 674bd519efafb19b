//! Checks the topic of a message against the one telemetry topic of its sender. Pure.

use domain::ids::{DeviceId, OrganizationId};
use uuid::Uuid;

use super::refusal::Refusal;
use crate::decide::Topics;

/// Decides whether a device may publish to a topic.
pub fn authorize_publish(
    organization: OrganizationId,
    device: DeviceId,
    topics: &Topics,
    topic: &[u8],
) -> Result<(), Refusal> {
    if topic == topics.telemetry.as_bytes() {
        return Ok(());
    }
    let (of, from) = std::str::from_utf8(topic).ok().and_then(parse).ok_or(Refusal::UnknownTopic)?;
    if of != organization.to_string() {
        Err(Refusal::WrongOrganization)
    } else if from != device.to_string() {
        Err(Refusal::WrongDevice)
    } else {
        Ok(())
    }
}

/// Returns the organisation and device of a telemetry topic, for a bridge, which knows the sender only by its topic:
/// the broker lets no other device publish there.
pub fn sender(topic: &str) -> Result<(OrganizationId, DeviceId), Refusal> {
    let (organization, device) = parse(topic).ok_or(Refusal::UnknownTopic)?;
    let id = |text: &str| Uuid::try_parse(text).ok().filter(|id| id.to_string() == text);
    let organization = id(organization).ok_or(Refusal::WrongOrganization)?;
    Ok((OrganizationId(organization), DeviceId(id(device).ok_or(Refusal::UnknownDevice)?)))
}

/// Returns the organisation and the device in a telemetry topic, unparsed.
fn parse(topic: &str) -> Option<(&str, &str)> {
    let mut levels = topic.strip_prefix("v1/telemetry/")?.split('/');
    match (levels.next(), levels.next(), levels.next()) {
        (Some(organization), Some(device), None) => Some((organization, device)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn a_topic_names_its_sender_by_two_ids_in_canonical_form() {
        let (organization, device) = (Uuid::from_u128(1), Uuid::from_u128(0xabc));
        let own = format!("v1/telemetry/{organization}/{device}");
        assert_eq!(sender(&own), Ok((OrganizationId(organization), DeviceId(device))));
        for (topic, expected) in [
            (format!("v1/telemetry/{organization}"), Refusal::UnknownTopic),
            ("v1/telemetry".to_owned(), Refusal::UnknownTopic),
            (format!("{own}/x"), Refusal::UnknownTopic),
            (format!("{own}/x/y"), Refusal::UnknownTopic),
            (format!("v1/commands/{organization}/{device}"), Refusal::UnknownTopic),
            (format!("v1/telemetry/acme/{device}"), Refusal::WrongOrganization),
            (format!("v1/telemetry/{organization}/pump"), Refusal::UnknownDevice),
            (own.to_uppercase().replace("V1/TELEMETRY", "v1/telemetry"), Refusal::UnknownDevice),
            (format!("v1/telemetry/{organization}/{}", device.simple()), Refusal::UnknownDevice),
        ] {
            assert_eq!(sender(&topic), Err(expected), "{topic}");
        }
    }
}
