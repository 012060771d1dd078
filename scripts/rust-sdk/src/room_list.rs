// SPDX-License-Identifier: Apache-2.0
//! The screens around the room list.

use anyhow::{Result, bail};
use matrix_sdk::{
    Room, RoomMemberships,
    ruma::{
        RoomId, RoomOrAliasId, UserId,
        api::client::room::{
            Visibility,
            create_room::v3::{CreationContent, Request, RoomPreset},
        },
        assign,
        events::{InitialStateEvent, room::encryption::RoomEncryptionEventContent},
        room::RoomType,
        serde::Raw,
    },
};
use matrix_sdk_ui::timeline::{LatestEventValue, RoomExt, TimelineItemContent};
use serde_json::{Value, json};

use crate::{Order, phone::Phone};

/// Returns the room list, in the order of the screen.
pub async fn rooms(phone: &Phone) -> Result<Value> {
    let shown: Vec<Room> =
        phone.list.lock().expect("no panic under the lock").iter().map(|item| item.clone().into_inner()).collect();
    let mut rows = Vec::new();
    for room in shown {
        rows.push(json!({
            "id": room.room_id(),
            "membership": format!("{:?}", room.state()),
            "name": room.display_name().await?.to_string(),
            "topic": room.topic(),
            "isEncrypted": room.encryption_state().is_encrypted(),
            "isDirect": room.is_direct().await?,
            "isFavourite": room.is_favourite(),
            "isMarkedUnread": room.is_marked_unread(),
            "isSpace": room.is_space(),
            "joined": room.joined_members_count(),
            "invited": room.invited_members_count(),
            "unread": room.num_unread_messages(),
            "notifications": room.num_unread_notifications(),
            "mentions": room.num_unread_mentions(),
            "serverNotifications": room.unread_notification_counts().notification_count,
            "latest": latest(&room).await,
            "inviter": inviter(&room).await,
            "pinned": room.pinned_event_ids(),
        }));
    }
    Ok(Value::Array(rows))
}

async fn latest(room: &Room) -> Option<String> {
    match room.latest_event().await {
        LatestEventValue::Remote { content, .. } | LatestEventValue::Local { content, .. } => Some(body(&content)),
        LatestEventValue::RemoteInvite { .. } => Some("invite".to_owned()),
        LatestEventValue::None => None,
    }
}

async fn inviter(room: &Room) -> Option<String> {
    room.invite_details().await.ok()?.inviter.map(|member| member.user_id().to_string())
}

/// Returns the text of a message; another content's kind in brackets.
pub fn body(content: &TimelineItemContent) -> String {
    match content {
        _ if content.is_redacted() => "[redacted]".to_owned(),
        _ if content.is_unable_to_decrypt() => "[undecryptable]".to_owned(),
        TimelineItemContent::MembershipChange(change) => format!("[{:?} {}]", change.change(), change.user_id()),
        _ => match content.as_message() {
            Some(message) => message.body().to_owned(),
            None => format!("[{}]", content.event_type_str().unwrap_or_default()),
        },
    }
}

/// Creates a room, or with `direct` a direct chat, and returns its ID.
pub async fn create(phone: &Phone, order: Order<'_>) -> Result<Value> {
    let client = phone.client()?;
    if let Some(user) = order.text_if("direct") {
        let room = client.create_dm(&UserId::parse(user)?).await?;
        return Ok(json!(room.room_id()));
    }
    let mut request = Request::new();
    request.name = order.text_if("name").map(ToOwned::to_owned);
    request.topic = order.text_if("topic").map(ToOwned::to_owned);
    request.room_alias_name = order.text_if("alias").map(ToOwned::to_owned);
    for user in order.texts("invite") {
        request.invite.push(UserId::parse(user)?);
    }
    let is_public = order.flag("public");
    request.preset = Some(if is_public { RoomPreset::PublicChat } else { RoomPreset::PrivateChat });
    request.visibility = if is_public { Visibility::Public } else { Visibility::Private };
    if order.flag("space") {
        let content = assign!(CreationContent::new(), { room_type: Some(RoomType::Space) });
        request.creation_content = Some(Raw::new(&content)?);
    }
    if order.flag("encrypted") {
        let content = RoomEncryptionEventContent::with_recommended_defaults();
        request.initial_state.push(InitialStateEvent::with_empty_state_key(content).to_raw_any());
    }
    Ok(json!(client.create_room(request).await?.room_id()))
}

/// Joins a room by its ID or alias, or accepts an invite.
pub async fn join(phone: &Phone, order: Order<'_>) -> Result<Value> {
    let target = RoomOrAliasId::parse(order.text("room")?)?;
    let known = RoomId::parse(order.text("room")?).ok().and_then(|id| phone.client().ok()?.get_room(&id));
    if let Some(room) = known {
        room.join().await?;
        return Ok(json!(room.room_id()));
    }
    Ok(json!(phone.client()?.join_room_by_id_or_alias(&target, &[]).await?.room_id()))
}

/// Leaves a room, or declines an invite, and forgets the room with `forget`.
pub async fn leave(phone: &Phone, order: Order<'_>) -> Result<Value> {
    let room = phone.room(order)?;
    room.leave().await?;
    if order.flag("forget") {
        room.forget().await?;
    }
    Ok(Value::Null)
}

/// Invites a user.
pub async fn invite(phone: &Phone, order: Order<'_>) -> Result<Value> {
    phone.room(order)?.invite_user_by_id(&UserId::parse(order.text("user")?)?).await?;
    Ok(Value::Null)
}

/// Returns the members of a room with their memberships and names.
pub async fn members(phone: &Phone, order: Order<'_>) -> Result<Value> {
    let members = phone.room(order)?.members(RoomMemberships::all()).await?;
    let rows = members.iter().map(
        |member| json!({ "user": member.user_id(), "membership": member.membership().as_str(), "name": member.name() }),
    );
    Ok(rows.collect())
}

/// Returns what the screen before a join shows of a room.
pub async fn preview(phone: &Phone, order: Order<'_>) -> Result<Value> {
    let target = RoomOrAliasId::parse(order.text("room")?)?;
    let preview = phone.client()?.get_room_preview(&target, vec![]).await?;
    Ok(json!({
        "id": preview.room_id,
        "name": preview.name,
        "joined": preview.num_joined_members,
        "membership": preview.state.map(|state| format!("{state:?}")),
    }))
}

/// Sets a mark of a room: `favourite`, `low` or `unread`.
pub async fn mark(phone: &Phone, order: Order<'_>) -> Result<Value> {
    let room = phone.room(order)?;
    let is_set = order.flag("on");
    match order.text("mark")? {
        "favourite" => room.set_is_favourite(is_set, None).await?,
        "low" => room.set_is_low_priority(is_set, None).await?,
        "unread" => room.set_unread_flag(is_set).await?,
        other => bail!("unknown mark {other}"),
    }
    Ok(Value::Null)
}
