#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# matrix-sdk 0.19.1: in rooms of version 11 and later, the send queue makes invalid JSON of a redaction without a reason.
#
# After the server has accepted the redaction, the queue puts it into the event cache, so that the message is redacted at
# once. Without a reason the content that it builds ends in a comma, so the event is dropped with an error in the log, and
# the message stays readable until the redaction comes by sync. With a reason, and up to room version 10, it works.
#
# Seen with Rust 1.97.0-nightly:
#   version 10, no reason: in the cache
#   version 11, no reason: not in the cache
#   version 11, a reason: in the cache
#
# Needs Rust 1.96 or later; the build takes some minutes. Exits with 1 when that changes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir src
cat > Cargo.toml <<'TOML'
[package]
name = "redact-without-reason"
version = "0.0.0"
edition = "2024"

[dependencies]
matrix-sdk = { version = "=0.19.1", default-features = false, features = ["testing", "rustls-aws-lc-rs"] }
matrix-sdk-test = "=0.19.1"
tokio = { version = "1", features = ["rt-multi-thread", "macros", "time"] }

[profile.dev]
debug = 0
TOML
cat > src/main.rs <<'RUST'
#![recursion_limit = "256"]

use std::time::Duration;

use matrix_sdk::{
    event_cache::RoomEventCacheUpdate,
    ruma::{RoomVersionId, event_id, room_id, user_id},
    test_utils::mocks::MatrixMockServer,
};
use matrix_sdk_test::{JoinedRoomBuilder, event_factory::EventFactory};
use tokio::time::{sleep, timeout};

#[tokio::main]
async fn main() {
    for (version, reason) in
        [(RoomVersionId::V10, None), (RoomVersionId::V11, None), (RoomVersionId::V11, Some("spam"))]
    {
        let server = MatrixMockServer::new().await;
        let client = server.client_builder().build().await;
        client.event_cache().subscribe().unwrap();
        let room_id = room_id!("!room:example.org");
        let sender = user_id!("@example:localhost");
        let factory = EventFactory::new().room(room_id).sender(sender);
        server.mock_room_state_encryption().plain().mount().await;
        let joined = JoinedRoomBuilder::new(room_id)
            .add_state_event(factory.create(sender, version.clone()))
            .add_timeline_event(factory.text_msg("secret").event_id(event_id!("$message")));
        let room = server.sync_room(&client, joined).await;
        let (cache, _handles) = room.event_cache().await.unwrap();
        let (_, mut updates) = cache.subscribe().await.unwrap();
        sleep(Duration::from_millis(200)).await;
        while timeout(Duration::from_millis(200), updates.recv()).await.is_ok() {}
        server.mock_room_redact().ok(event_id!("$redaction").to_owned()).mount().await;
        room.send_queue().redact(event_id!("$message").to_owned(), reason).await.unwrap();
        let mut is_cached = false;
        while let Ok(Ok(update)) = timeout(Duration::from_secs(2), updates.recv()).await {
            is_cached |= matches!(update, RoomEventCacheUpdate::UpdateTimelineEvents(_));
        }
        println!(
            "version {version}, {}: {}",
            if reason.is_some() { "a reason" } else { "no reason" },
            if is_cached { "in the cache" } else { "not in the cache" }
        );
    }
}
RUST
toolchain=$(cargo --version | awk -F'[ .]' '$3 < 96 { print "+nightly" }')
seen=$(cargo $toolchain run --quiet)
echo "$seen"
test "$seen" = "version 10, no reason: in the cache
version 11, no reason: not in the cache
version 11, a reason: in the cache"
