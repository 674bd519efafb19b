//! Times of arrival: those of a device strictly increase, by at least one microsecond for each reading of a payload, so
//! that readings without a time of their own never share one.

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Utc};
use domain::ids::DeviceId;
use eventlog::{PARTITIONS, partition_of};

/// How far the times may run ahead of the clock, microseconds. If they are further ahead, the clock was set back, and
/// they follow it.
const MAX_AHEAD: i64 = 1_000_000;

/// The last time of arrival, microseconds since 1970, by partition of the devices.
#[derive(Debug, Default)]
pub struct Arrivals([AtomicI64; PARTITIONS as usize]);

impl Arrivals {
    /// Returns the time of arrival of a payload with so many readings: now, or as much later as the readings before it
    /// need. Its readings have this time and the microseconds before it.
    pub fn next(&self, device: DeviceId, now: DateTime<Utc>, readings: usize) -> DateTime<Utc> {
        let clock = now.timestamp_micros();
        let after = |last: i64| if last > clock + MAX_AHEAD { clock } else { clock.max(last + readings as i64) };
        let last = &self.0[usize::from(partition_of(device.0))];
        let before = last.update(Ordering::Relaxed, Ordering::Relaxed, after);
        DateTime::from_timestamp_micros(after(before)).unwrap_or(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn times_of_arrival_leave_room_for_each_reading_and_follow_the_clock() {
        let arrivals = Arrivals::default();
        let device = DeviceId(Uuid::from_u128(3));
        let next = |clock: i64, readings| {
            arrivals.next(device, DateTime::from_timestamp_micros(clock).unwrap(), readings).timestamp_micros()
        };
        let start = 1_700_000_000_000_000;
        assert_eq!(next(start, 1), start);
        assert_eq!(next(start, 1), start + 1);
        assert_eq!(next(start, 1_000), start + 1_001);
        assert_eq!(next(start + 1_001, 3), start + 1_004);
        assert_eq!(next(start + 5_000, 3), start + 5_000);
        // A clock that was set back by less than a second is waited for; by more, it is followed.
        assert_eq!(next(start, 2), start + 5_002);
        assert_eq!(next(start - MAX_AHEAD, 2), start - MAX_AHEAD);
        assert_eq!(next(start - MAX_AHEAD, 2), start - MAX_AHEAD + 2);
        // Devices of another partition have times of their own.
        let other = DeviceId(Uuid::from_u128(4));
        let now = DateTime::from_timestamp_micros(start).unwrap();
        assert_eq!(arrivals.next(other, now, 1), now);
    }
}
