//! Given/when/then tests of activities.

use ActivityCommand as C;
use ActivityEvent as E;
use ActivityStatus as S;
use chrono::{DateTime, TimeDelta};
use uuid::Uuid;

use super::*;
use crate::activity_template::ChecklistItem;
use crate::alarming::Severity;
use crate::given_when_then::{Given, given, given_no_events};
use crate::ids::UserId;
use crate::rule::EntityKind;

const ADA: UserId = UserId(Uuid::from_u128(1));

fn item(text: &str, required: bool) -> ChecklistItem {
    ChecklistItem { item: text.into(), required }
}

fn order() -> WorkOrder {
    WorkOrder {
        template_id: None,
        name: "Inspect".into(),
        description: None,
        target_type: EntityKind::Asset,
        target_id: Uuid::from_u128(9),
        priority: Severity::High,
        assigned_role: None,
        assigned_user_id: None,
        due_at: None,
        checklist: vec![item("look", true), item("clean", false), item("test", true)],
        alarm_id: None,
    }
}

fn created() -> E {
    E::ActivityCreated { order: order() }
}

fn assigned() -> E {
    E::ActivityAssigned { role: Some("technician".into()), user_id: None }
}

fn ticked(index: usize, done: bool) -> E {
    E::ActivityItemChecked { index, done }
}

fn done() -> E {
    E::ActivityCompleted { note: None }
}

fn cancelled() -> E {
    E::ActivityCancelled { reason: "false alarm".into() }
}

/// Returns an activity in the given status.
fn in_status(status: S) -> Given<Activity> {
    let events = match status {
        S::Pending => vec![created()],
        S::Assigned => vec![created(), assigned()],
        S::InProgress => vec![created(), assigned(), E::ActivityStarted {}],
        S::Done => vec![created(), assigned(), E::ActivityStarted {}, ticked(0, true), ticked(2, true), done()],
        S::Cancelled => vec![created(), cancelled()],
    };
    let activity = given::<Activity>(events);
    assert_eq!(activity.state().status, status);
    activity
}

#[test]
fn an_activity_is_created_once() {
    let spaced = WorkOrder { name: " Inspect ".into(), ..order() };
    given_no_events::<Activity>().when(C::CreateActivity { order: spaced }).then([created()]);
    in_status(S::Pending).when(C::CreateActivity { order: order() }).then_refused(Error::AlreadyExists);
}

#[test]
fn an_invalid_work_order_is_rejected() {
    let table = [
        (WorkOrder { name: "".into(), ..order() }, Error::InvalidName),
        (
            WorkOrder { checklist: vec![item("a", true), item("", true)], ..order() },
            Error::InvalidChecklistItem { index: 1 },
        ),
    ];
    for (order, refusal) in table {
        given_no_events::<Activity>().when(C::CreateActivity { order }).then_refused(refusal);
    }
}

#[test]
fn an_activity_with_a_role_or_user_starts_as_assigned() {
    let role = WorkOrder { assigned_role: Some("technician".into()), ..order() };
    let person = WorkOrder { assigned_user_id: Some(ADA), ..order() };
    for (order, status) in [(order(), S::Pending), (role, S::Assigned), (person, S::Assigned)] {
        assert_eq!(given::<Activity>([E::ActivityCreated { order }]).state().status, status);
    }
}

#[test]
fn commands_before_creation_are_rejected() {
    let commands = [
        C::AssignActivity { role: None, user_id: Some(ADA) },
        C::StartActivity {},
        C::CheckItem { index: 0, done: true },
        C::CompleteActivity { note: None },
        C::CancelActivity { reason: "r".into() },
        C::CommentActivity { text: "hello".into() },
    ];
    for command in commands {
        given_no_events::<Activity>().when(command).then_refused(Error::NotFound);
    }
}

#[test]
fn an_open_activity_can_be_assigned_to_a_role_or_user() {
    let assign = |user_id| C::AssignActivity { role: None, user_id };
    for status in [S::Pending, S::Assigned, S::InProgress] {
        in_status(status).when(assign(Some(ADA))).then([E::ActivityAssigned { role: None, user_id: Some(ADA) }]);
        in_status(status).when(assign(None)).then_refused(Error::NoAssignee);
    }
    in_status(S::Assigned).when(C::AssignActivity { role: Some("technician".into()), user_id: None }).then_no_events();
    for status in [S::Done, S::Cancelled] {
        in_status(status).when(assign(Some(ADA))).then_refused(Error::WrongStatus { status });
    }
}

#[test]
fn assigning_work_in_progress_leaves_it_in_progress() {
    let again = E::ActivityAssigned { role: None, user_id: Some(ADA) };
    let activity = given::<Activity>([created(), assigned(), E::ActivityStarted {}, again]);
    assert_eq!(activity.state().status, S::InProgress);
}

#[test]
fn work_starts_only_once_assigned() {
    in_status(S::Assigned).when(C::StartActivity {}).then([E::ActivityStarted {}]);
    in_status(S::InProgress).when(C::StartActivity {}).then_no_events();
    for status in [S::Pending, S::Done, S::Cancelled] {
        in_status(status).when(C::StartActivity {}).then_refused(Error::WrongStatus { status });
    }
}

#[test]
fn items_are_checked_only_while_work_is_in_progress() {
    let tick = |index, done| C::CheckItem { index, done };
    in_status(S::InProgress).when(tick(0, true)).then([ticked(0, true)]);
    in_status(S::InProgress).when(tick(0, false)).then_no_events();
    in_status(S::InProgress).when(tick(3, true)).then_refused(Error::NoSuchItem { index: 3 });
    let past = [created(), assigned(), E::ActivityStarted {}, ticked(0, true)];
    given::<Activity>(past.clone()).when(tick(0, true)).then_no_events();
    given::<Activity>(past).when(tick(0, false)).then([ticked(0, false)]);
    for status in [S::Pending, S::Assigned, S::Done, S::Cancelled] {
        in_status(status).when(tick(0, true)).then_refused(Error::WrongStatus { status });
    }
}

#[test]
fn work_completes_only_when_every_required_item_is_checked() {
    let complete = || C::CompleteActivity { note: None };
    let ticks = |ticks: &[E]| {
        let past = [created(), assigned(), E::ActivityStarted {}];
        given::<Activity>(past.into_iter().chain(ticks.iter().cloned()))
    };
    ticks(&[]).when(complete()).then_refused(Error::ItemsOpen { open: 2 });
    ticks(&[ticked(0, true), ticked(1, true)]).when(complete()).then_refused(Error::ItemsOpen { open: 1 });
    ticks(&[ticked(0, true), ticked(2, true)]).when(complete()).then([done()]);
    ticks(&[ticked(0, true), ticked(2, true), ticked(0, false)])
        .when(complete())
        .then_refused(Error::ItemsOpen { open: 1 });
    for status in [S::Pending, S::Assigned, S::Done, S::Cancelled] {
        in_status(status).when(complete()).then_refused(Error::WrongStatus { status });
    }
}

#[test]
fn an_open_activity_can_be_cancelled() {
    let cancel = || C::CancelActivity { reason: "false alarm".into() };
    for status in [S::Pending, S::Assigned, S::InProgress] {
        in_status(status).when(cancel()).then([cancelled()]);
    }
    for status in [S::Done, S::Cancelled] {
        in_status(status).when(cancel()).then_refused(Error::WrongStatus { status });
    }
}

#[test]
fn a_comment_has_1_to_4000_characters_and_is_accepted_in_every_status() {
    for status in S::ALL {
        in_status(*status)
            .when(C::CommentActivity { text: " seen ".into() })
            .then([E::ActivityCommented { text: "seen".into() }]);
    }
    for text in [" ".to_owned(), "x".repeat(4001)] {
        in_status(S::Pending).when(C::CommentActivity { text }).then_refused(Error::InvalidComment);
    }
}

#[test]
fn an_open_activity_past_its_due_time_becomes_overdue_once() {
    let at = |second| DateTime::UNIX_EPOCH + TimeDelta::seconds(second);
    let due = E::ActivityCreated { order: WorkOrder { due_at: Some(at(10)), ..order() } };
    let note = |second| C::NoteOverdue { now: at(second) };
    let overdue = || E::ActivityOverdue { due_at: at(10) };
    given::<Activity>([due.clone()]).when(note(9)).then_no_events();
    given::<Activity>([due.clone()]).when(note(10)).then([overdue()]);
    given::<Activity>([due.clone(), overdue()]).when(note(11)).then_no_events();
    given::<Activity>([due.clone(), cancelled()]).when(note(11)).then_no_events();
    given::<Activity>([due, assigned(), E::ActivityStarted {}, done()]).when(note(11)).then_no_events();
    given::<Activity>([created()]).when(note(11)).then_no_events();
    given_no_events::<Activity>().when(note(11)).then_refused(Error::NotFound);
}
