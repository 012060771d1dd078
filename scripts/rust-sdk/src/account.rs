// SPDX-License-Identifier: Apache-2.0
//! The settings, recovery, notifications and searches of an account.

use anyhow::{Context, Result};
use matrix_sdk::{
    notification_settings::RoomNotificationMode,
    room_directory_search::RoomDirectorySearch,
    ruma::{
        RoomId, UserId,
        api::client::push::{PusherIds, PusherInit, PusherKind},
        push::HttpPusherData,
    },
};
use matrix_sdk_ui::{
    notification_client::{NotificationClient, NotificationEvent, NotificationProcessSetup, NotificationStatus},
    spaces::SpaceService,
};
use serde_json::{Value, json};

use crate::{Order, conversation::event_id, phone::Phone};

/// Makes secret storage and a key backup; returns the recovery key.
pub async fn enable_recovery(phone: &Phone) -> Result<Value> {
    let recovery = phone.client()?.encryption().recovery();
    Ok(json!(recovery.enable().wait_for_backups_to_upload().await?))
}

/// Confirms the identity of this device by the recovery key.
pub async fn recover(phone: &Phone, order: Order<'_>) -> Result<Value> {
    phone.client()?.encryption().recovery().recover(order.text("key")?).await?;
    Ok(Value::Null)
}

/// Returns the states of verification, recovery and backup.
pub async fn encryption(phone: &Phone) -> Result<Value> {
    let encryption = phone.client()?.encryption();
    Ok(json!({
        "verification": format!("{:?}", encryption.verification_state().get()),
        "recovery": format!("{:?}", encryption.recovery().state()),
        "backup": format!("{:?}", encryption.backups().state()),
        "isLastDevice": encryption.recovery().is_last_device().await?,
    }))
}

/// Loads an event as a push handler does, beside a sync service that runs or not.
pub async fn notification(phone: &Phone, order: Order<'_>) -> Result<Value> {
    let setup = NotificationProcessSetup::SingleProcess { sync_service: phone.sync()?.clone() };
    let client = NotificationClient::new(phone.client()?.clone(), setup).await?;
    let room = RoomId::parse(order.text("room")?)?;
    Ok(match client.get_notification(&room, &event_id(order)?).await? {
        NotificationStatus::Event(item) => {
            let text = match &item.event {
                NotificationEvent::Invite(_) => "[invite]".to_owned(),
                NotificationEvent::Timeline(_) => text_of(&item.raw_event),
            };
            json!({
                "text": text,
                "sender": item.event.sender(),
                "senderName": item.sender_display_name,
                "room": item.room_computed_display_name,
                "isNoisy": item.is_noisy,
                "isDirect": item.is_direct_message_room,
                "joined": item.joined_members_count,
            })
        }
        NotificationStatus::EventNotFound => json!({ "text": "[not found]" }),
        NotificationStatus::EventFilteredOut => json!({ "text": "[filtered out]" }),
        NotificationStatus::EventRedacted => json!({ "text": "[redacted]" }),
    })
}

fn text_of(raw: &matrix_sdk_ui::notification_client::RawNotificationEvent) -> String {
    use matrix_sdk_ui::notification_client::RawNotificationEvent::{Invite, Timeline};
    let json = match raw {
        Timeline(event) => event.json().get(),
        Invite(event) => event.json().get(),
    };
    let event: Value = serde_json::from_str(json).unwrap_or_default();
    event["content"]["body"].as_str().or(event["type"].as_str()).unwrap_or_default().to_owned()
}

/// Sets a pusher to this URL, as Element X does at its start.
pub async fn pusher(phone: &Phone, order: Order<'_>) -> Result<Value> {
    let init = PusherInit {
        ids: PusherIds::new("a push key".to_owned(), "org.example.phone".to_owned()),
        app_display_name: "Phone".to_owned(),
        device_display_name: "Phone".to_owned(),
        profile_tag: None,
        kind: PusherKind::Http(HttpPusherData::new(order.text("url")?.to_owned())),
        lang: "en".to_owned(),
    };
    phone.client()?.pusher().set(init.into(), false).await?;
    Ok(Value::Null)
}

/// Sets the display name, if one is given; returns it as the server has it.
pub async fn profile(phone: &Phone, order: Order<'_>) -> Result<Value> {
    let account = phone.client()?.account();
    if let Some(name) = order.text_if("name") {
        account.set_display_name(Some(name)).await?;
    }
    Ok(json!(account.get_display_name().await?))
}

/// Mutes a room, or unmutes it.
pub async fn mute(phone: &Phone, order: Order<'_>) -> Result<Value> {
    let room = RoomId::parse(order.text("room")?)?;
    let settings = phone.client()?.notification_settings().await;
    let mode = if order.flag("on") { RoomNotificationMode::Mute } else { RoomNotificationMode::AllMessages };
    settings.set_room_notification_mode(&room, mode).await?;
    Ok(Value::Null)
}

/// Returns the notification mode that the user has chosen for a room.
pub async fn mode(phone: &Phone, order: Order<'_>) -> Result<Value> {
    let room = RoomId::parse(order.text("room")?)?;
    let settings = phone.client()?.notification_settings().await;
    let mode = settings.get_user_defined_room_notification_mode(&room).await;
    Ok(json!(mode.map(|mode| format!("{mode:?}"))))
}

/// Ignores a user, or does not any more.
pub async fn ignore(phone: &Phone, order: Order<'_>) -> Result<Value> {
    let user = UserId::parse(order.text("user")?)?;
    let account = phone.client()?.account();
    if order.flag("on") {
        account.ignore_user(&user).await?
    } else {
        account.unignore_user(&user).await?
    }
    Ok(Value::Null)
}

/// Returns the users that a term finds.
pub async fn search_users(phone: &Phone, order: Order<'_>) -> Result<Value> {
    let found = phone.client()?.search_users(order.text("term")?, 10).await?;
    Ok(found.results.iter().map(|user| json!(user.user_id)).collect())
}

/// Returns the public rooms that a term finds.
pub async fn directory(phone: &Phone, order: Order<'_>) -> Result<Value> {
    let mut search = RoomDirectorySearch::new(phone.client()?.clone());
    search.search(order.text_if("term").map(ToOwned::to_owned), 20, None).await?;
    let (rooms, _) = search.results();
    Ok(rooms.iter().map(|room| json!(room.room_id)).collect())
}

/// Adds a room to a space, if one is given; returns the rooms of the space.
pub async fn space(phone: &Phone, order: Order<'_>) -> Result<Value> {
    let service = SpaceService::new(phone.client()?.clone()).await;
    let space = RoomId::parse(order.text("room")?)?;
    if let Some(child) = order.text_if("child") {
        service.add_child_to_space(RoomId::parse(child)?, space.clone()).await?;
    }
    let list = service.space_room_list(space).await;
    list.paginate().await.context("cannot load the space")?;
    Ok(list.rooms().await.iter().map(|room| json!(room.room_id)).collect())
}
