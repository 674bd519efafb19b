//! Stores values and checkpoint in Redis by one script. Newer values are never overwritten, and the checkpoint fences
//! stale writers.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::LazyLock;

use redis::{AsyncCommands, Script};

use super::Store;
use super::coalesce::Newest;
use super::read::unfold;
use crate::Error;

/// Entities per call; Redis serves no other client while a script runs.
const AT_ONCE: usize = 500;

/// `KEYS[1]` is the checkpoint, `ARGV[1]` its expected and `ARGV[2]` its new value. Then follows one key for each
/// entity, with five arguments: time of arrival, field of the metric set, time of measurement, order of arrival, and
/// content. A value of an earlier version has no order of arrival, so everything of its time came later.
static STORE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r#"
        if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
        local function is_newer(held, at, position)
            local held_at, held_position = string.match(held, '^(%-?%d+)|{"p":(%d+)')
            held_at = tonumber(held_at or string.match(held, '^%-?%d+'))
            return held_at < at or held_at == at and tonumber(held_position or 0) <= position
        end
        for i = 2, #KEYS do
            local a = 5 * i - 7
            local held = redis.call('HMGET', KEYS[i], 'seen', ARGV[a + 1])
            if not held[1] or tonumber(held[1]) < tonumber(ARGV[a]) then
                redis.call('HSET', KEYS[i], 'seen', ARGV[a])
            end
            if not held[2] or is_newer(held[2], tonumber(ARGV[a + 2]), tonumber(ARGV[a + 3])) then
                redis.call('HSET', KEYS[i], ARGV[a + 1], ARGV[a + 4])
            end
        end
        redis.call('SET', KEYS[1], ARGV[2])
        return 1
        "#,
    )
});

/// Stores values and moves the checkpoint from `from` to `to`; returns false if the checkpoint was not `from`. Only the
/// last call moves it: a crash before that repeats the others, which is idempotent.
pub async fn store(store: &Store, from: &str, to: &str, newest: &[Newest]) -> Result<bool, Error> {
    let mut redis = store.redis.clone();
    let (first, last) = newest.split_at(newest.len().saturating_sub(1) / AT_ONCE * AT_ONCE);
    for (some, next) in first.chunks(AT_ONCE).map(|some| (some, from)).chain([(last, to)]) {
        if some.is_empty() && next == from {
            continue;
        }
        let mut call = STORE.prepare_invoke();
        call.key(store.checkpoint_key()).arg(from).arg(next);
        for value in some {
            call.key(key(store, value.entity));
            call.arg(value.received_at).arg(&value.field).arg(value.measured_at);
            call.arg(value.position).arg(&value.text);
        }
        if !call.invoke_async::<bool>(&mut redis).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Returns the key of an entity's values.
pub fn key(store: &Store, entity: uuid::Uuid) -> String {
    format!("{}latest:{entity}", store.key_prefix)
}

/// Lists the keys of all entities.
pub async fn keys(store: &Store) -> Result<Vec<String>, Error> {
    let mut redis = store.redis.clone();
    let pattern = format!("{}latest:*", store.key_prefix.replace(['*', '?', '['], "?"));
    let (mut cursor, mut keys) = (0_u64, Vec::new());
    loop {
        let (next, some): (u64, Vec<String>) = redis::cmd("SCAN")
            .arg(cursor)
            .arg("MATCH")
            .arg(&pattern)
            .arg("COUNT")
            .arg(1000)
            .query_async(&mut redis)
            .await?;
        keys.extend(some);
        cursor = next;
        if cursor == 0 {
            keys.sort();
            keys.dedup();
            return Ok(keys);
        }
    }
}

/// Returns a digest of what readers see of all latest values; comparable only within one build, since the hasher may
/// change. How the values are stored differs between versions.
pub async fn digest(store: &Store) -> Result<String, Error> {
    let mut redis = store.redis.clone();
    let keys = keys(store).await?;
    let mut hasher = DefaultHasher::new();
    for key in &keys {
        let fields: Vec<(String, String)> = redis.hgetall(key).await?;
        (key, format!("{:?}", unfold(fields))).hash(&mut hasher);
    }
    Ok(format!("{} entities {:016x}", keys.len(), hasher.finish()))
}
