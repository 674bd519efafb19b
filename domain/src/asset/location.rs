//! Where an asset stands.

use serde::{Deserialize, Serialize};

/// A place on the globe (WGS 84, degrees).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Location {
    /// -90 to 90.
    pub latitude: f64,
    /// -180 to 180.
    pub longitude: f64,
}

impl Location {
    /// Tells whether latitude and longitude are in range (which NaN is not).
    pub fn is_on_earth(&self) -> bool {
        (-90.0..=90.0).contains(&self.latitude) && (-180.0..=180.0).contains(&self.longitude)
    }
}
