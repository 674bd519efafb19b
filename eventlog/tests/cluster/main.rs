//! Three real nodes with every stream and bucket replicated, under load: leaders are killed, nodes are partitioned, all
//! nodes are restarted in turn, replicas are raised. Whatever was acknowledged is stored exactly once, and commands are
//! answered again soon.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod checks;
#[path = "../conformance/counter.rs"]
mod counter;
mod faults;
mod idle_progress;
mod load;
mod replicas;
mod test_cluster;
