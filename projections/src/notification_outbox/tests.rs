//! Unit tests of the fold and of its rows.

use domain::alarming::Severity;
use domain::catalogue::notification_channel::Medium;
use domain::ids::{NotificationChannelId, UserId};
use domain::notification::{Notice, NotificationEvent as E};
use domain::rule::EntityKind;
use domain::telemetry::Transition;
use uuid::Uuid;

use super::{NotificationRow, Notifications};
use crate::test_events::{ID, at, rows_after};

fn notice() -> Notice {
    Notice {
        transition: Transition::ThresholdBreach,
        alarm_id: None,
        rule_id: None,
        rule_name: None,
        entity_type: EntityKind::Asset,
        entity_id: Uuid::from_u128(8),
        severity: Severity::High,
        metric_key: None,
        value: None,
        measured_at: at(0),
    }
}

fn then(events: &[E]) -> NotificationRow {
    let requested = E::NotificationRequested {
        channel_id: Some(NotificationChannelId(Uuid::from_u128(3))),
        medium: Medium::Webhook { url: "https://x.example".into() },
        notice: notice(),
    };
    let events: Vec<E> = [requested].into_iter().chain(events.iter().cloned()).collect();
    rows_after::<Notifications, _>("notification", &events).get(ID).cloned().unwrap()
}

#[test]
fn a_notification_is_due_until_it_is_delivered_or_failed() {
    let first = then(&[]);
    assert_eq!((first.status.as_str(), first.attempts, first.due_at), ("pending", 0, Some(at(1))));
    let attempted = E::NotificationAttempted { attempt: 1, retry_at: at(12) };
    let tried = then(std::slice::from_ref(&attempted));
    assert_eq!((tried.attempts, tried.due_at), (1, Some(at(12))));
    let refused = then(&[attempted.clone(), E::NotificationRefused { attempt: 1, reason: "503".into() }]);
    assert_eq!(
        (refused.status.as_str(), refused.reason.as_deref(), refused.due_at),
        ("pending", Some("503"), Some(at(12)))
    );
    let delivered = then(&[attempted.clone(), E::NotificationDelivered { recipients: 2 }]);
    assert_eq!((delivered.status.as_str(), delivered.recipients, delivered.due_at), ("delivered", Some(2), None));
    let recipients = vec![UserId(Uuid::from_u128(5))];
    let pushed = then(&[attempted.clone(), E::NotificationPushed { recipients, notice: notice() }]);
    assert_eq!((pushed.status.as_str(), pushed.recipients), ("delivered", Some(1)));
    let failed = [attempted, E::NotificationFailed { reason: "410".into() }];
    assert_eq!((then(&failed).status.as_str(), then(&failed).due_at), ("failed", None));
    let [one, two] = failed;
    let again = then(&[one, two, E::NotificationResent {}]);
    assert_eq!((again.status.as_str(), again.attempts, again.due_at, again.reason), ("pending", 0, Some(at(4)), None));
}
