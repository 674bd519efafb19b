//! The stack's life: started, used, killed, restarted, stopped.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use stack::testing::{own_stack, space};

#[tokio::test]
async fn spaces_are_fresh() {
    let t = std::time::Instant::now();
    let s = space().await;
    eprintln!("{:?} {s:?}", t.elapsed());
    for _ in 0..5 {
        let t = std::time::Instant::now();
        space().await;
        eprintln!("{:?}", t.elapsed());
    }
}

#[tokio::test]
async fn restart() {
    let t = std::time::Instant::now();
    let mut s = own_stack().await;
    eprintln!("start {:?}", t.elapsed());
    for server in [stack::Server::Nats, stack::Server::Postgres, stack::Server::Redis] {
        let t = std::time::Instant::now();
        s.kill(server).await.unwrap();
        eprintln!("kill {:?}", t.elapsed());
        s.restart(server).await.unwrap();
        eprintln!("restart {:?}", t.elapsed());
    }
    let t = std::time::Instant::now();
    s.stop().await.unwrap();
    eprintln!("stop {:?}", t.elapsed());
}
