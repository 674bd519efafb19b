//! PostgreSQL's binary COPY format for the column types of the telemetry tables (PostgreSQL 15 manual, COPY, "Binary
//! Format").

use bytes::{BufMut, Bytes, BytesMut};
use chrono::{DateTime, Utc};
use sqlx::PgConnection;

/// Microseconds from the Unix epoch to 2000-01-01, the epoch of timestamptz.
const PG_EPOCH_MICROS: i64 = 946_684_800_000_000;
const INT4: u32 = 23;
const FLOAT8: u32 = 701;
/// The size of one CopyData message.
const CHUNK: usize = 1 << 18;

/// Rows encoded for a COPY.
pub struct BinaryCopy {
    bytes: BytesMut,
    rows: usize,
}

impl Default for BinaryCopy {
    fn default() -> Self {
        let mut bytes = BytesMut::with_capacity(1 << 16);
        bytes.put_slice(b"PGCOPY\n\xff\r\n\0");
        bytes.put_u32(0);
        bytes.put_u32(0);
        Self { bytes, rows: 0 }
    }
}

impl BinaryCopy {
    /// Returns whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Begins a row with this number of columns.
    pub fn row(&mut self, columns: i16) {
        self.rows += 1;
        self.bytes.put_i16(columns);
    }

    /// Appends a null.
    pub fn null(&mut self) {
        self.bytes.put_i32(-1);
    }

    /// Appends an `integer`.
    pub fn int4(&mut self, value: i32) {
        self.bytes.put_u32(4);
        self.bytes.put_i32(value);
    }

    /// Appends a `bigint`.
    pub fn int8(&mut self, value: i64) {
        self.bytes.put_u32(8);
        self.bytes.put_i64(value);
    }

    /// Appends a `timestamptz`, given in microseconds since the Unix epoch.
    pub fn timestamptz(&mut self, micros: i64) {
        self.int8(micros - PG_EPOCH_MICROS);
    }

    /// Appends a `jsonb` (format version 1), or a null.
    pub fn jsonb_or_null(&mut self, json: Option<&str>) {
        let Some(json) = json else { return self.null() };
        self.bytes.put_u32(length(json.len() + 1));
        self.bytes.put_u8(1);
        self.bytes.put_slice(json.as_bytes());
    }

    /// Appends a one-dimensional `double precision[]`.
    pub fn float8s(&mut self, values: &[f64]) {
        self.array(FLOAT8, values.len(), 8);
        for value in values {
            self.bytes.put_u32(8);
            self.bytes.put_f64(*value);
        }
    }

    /// Appends a one-dimensional `integer[]`.
    pub fn int4s(&mut self, values: &[i32]) {
        self.array(INT4, values.len(), 4);
        for value in values {
            self.bytes.put_u32(4);
            self.bytes.put_i32(*value);
        }
    }

    fn array(&mut self, element: u32, count: usize, width: usize) {
        if count == 0 {
            self.bytes.put_u32(12);
            self.bytes.put_u32(0);
            self.bytes.put_u32(0);
            self.bytes.put_u32(element);
            return;
        }
        self.bytes.put_u32(length(20 + (4 + width) * count));
        self.bytes.put_u32(1);
        self.bytes.put_u32(0);
        self.bytes.put_u32(element);
        self.bytes.put_u32(length(count));
        self.bytes.put_u32(1);
    }

    /// Sends the rows; returns their number. `target` is a table and its columns in the order in which they were
    /// appended.
    pub async fn send(mut self, db: &mut PgConnection, target: &str) -> Result<u64, sqlx::Error> {
        if self.is_empty() {
            return Ok(0);
        }
        self.bytes.put_i16(-1);
        let mut rest: Bytes = self.bytes.freeze();
        let mut copy = db.copy_in_raw(&format!("COPY {target} FROM STDIN (FORMAT binary)")).await?;
        while !rest.is_empty() {
            let chunk = rest.split_to(rest.len().min(CHUNK));
            copy.send(&chunk[..]).await?;
        }
        copy.finish().await
    }
}

/// Returns microseconds since the Unix epoch.
pub fn micros(at: DateTime<Utc>) -> i64 {
    at.timestamp_micros()
}

fn length(bytes: usize) -> u32 {
    // Fields are far below 4 GiB; PostgreSQL refuses fields over 1 GiB anyway.
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_is_written_with_its_dimension() {
        let mut copy = BinaryCopy::default();
        let header = copy.bytes.len();
        copy.row(1);
        copy.float8s(&[1.5]);
        let mut expected =
            vec![0, 1, 0, 0, 0, 32, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 2, 189, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 8];
        expected.extend(1.5_f64.to_be_bytes());
        assert_eq!(&copy.bytes[header..], expected);
    }

    #[test]
    fn an_empty_array_has_no_dimension() {
        let mut copy = BinaryCopy::default();
        let header = copy.bytes.len();
        copy.int4s(&[]);
        assert_eq!(&copy.bytes[header..], [0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 23]);
    }
}
