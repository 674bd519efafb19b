//! Simulated devices with real certificates: the outside world of the platform.
