// SPDX-License-Identifier: Apache-2.0
//! What Element X reads at its start, and the settings of a room.

use anyhow::{Result, bail};
use matrix_sdk::{
    media::{MediaFormat, MediaRequestParameters, MediaThumbnailSettings},
    room::ListThreadsOptions,
    ruma::{
        EventId, Int, RoomOrAliasId, UserId,
        events::room::{MediaSource, history_visibility::HistoryVisibility},
        room::JoinRule,
        uint,
    },
};
use matrix_sdk_ui::timeline::{RoomExt, TimelineEventFocusThreadMode, TimelineFocus};
use serde_json::{Value, json};

use crate::{Order, phone::Phone, room_list::body};

/// Returns the capabilities and limits of the server.
pub async fn server(phone: &Phone) -> Result<Value> {
    let client = phone.client()?;
    let capabilities = client.homeserver_capabilities();
    Ok(json!({
        "canChangePassword": capabilities.can_change_password().await?,
        "canChangeName": capabilities.can_change_displayname().await?,
        "profileFields": capabilities.extended_profile_fields().await?.enabled,
        "roomVersion": capabilities.room_versions().await?.default.to_string(),
        "uploadLimit": client.load_or_fetch_max_upload_size().await?.to_string(),
        "transports": client.discover_rtc_transports().await?.unwrap_or_default().len(),
        "wellKnown": client.fetch_client_well_known().await.is_some(),
    }))
}

/// Acts on a member: `kick`, `ban`, `unban`, or makes a moderator of it with `promote`.
pub async fn moderate(phone: &Phone, order: Order<'_>) -> Result<Value> {
    let room = phone.room(order)?;
    let user = UserId::parse(order.text("user")?)?;
    match order.text("way")? {
        "kick" => room.kick_user(&user, Some("a reason")).await?,
        "ban" => room.ban_user(&user, Some("a reason")).await?,
        "unban" => room.unban_user(&user, None).await?,
        "promote" => drop(room.update_power_levels(vec![(&user, Int::from(50))]).await?),
        other => bail!("unknown way {other}"),
    }
    Ok(Value::Null)
}

/// Sets the name, topic, rules or picture of a room, as far as they are given.
pub async fn change_room(phone: &Phone, order: Order<'_>) -> Result<Value> {
    let room = phone.room(order)?;
    if let Some(name) = order.text_if("name") {
        room.set_name(name.to_owned()).await?;
    }
    if let Some(topic) = order.text_if("topic") {
        room.set_room_topic(topic).await?;
    }
    if order.flag("knock") {
        room.privacy_settings().update_join_rule(JoinRule::Knock).await?;
    }
    if order.flag("shared") {
        room.privacy_settings().update_room_history_visibility(HistoryVisibility::Shared).await?;
    }
    if let Some(picture) = order.text_if("picture") {
        room.upload_avatar(&"image/svg+xml".parse()?, picture.as_bytes().to_vec(), None).await?;
    }
    Ok(Value::Null)
}

/// Uploads a picture of the user, from hexadecimal digits; returns the number of bytes of its thumbnail.
pub async fn picture(phone: &Phone, order: Order<'_>) -> Result<Value> {
    let digits = order.text("png")?;
    let bytes = (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16));
    let bytes = bytes.collect::<Result<Vec<u8>, _>>()?;
    let client = phone.client()?;
    let source = MediaSource::Plain(client.account().upload_avatar(&"image/png".parse()?, bytes).await?);
    let format = MediaFormat::Thumbnail(MediaThumbnailSettings::new(uint!(32), uint!(32)));
    let request = MediaRequestParameters { source, format };
    Ok(json!(client.media().get_media_content(&request, false).await?.len()))
}

/// Knocks on a room.
pub async fn knock(phone: &Phone, order: Order<'_>) -> Result<Value> {
    let target = RoomOrAliasId::parse(order.text("room")?)?;
    Ok(json!(phone.client()?.knock(target, Some("please".to_owned()), vec![]).await?.room_id()))
}

/// Returns the texts around an event, as a permalink shows them.
pub async fn permalink(phone: &Phone, order: Order<'_>) -> Result<Value> {
    let focus = TimelineFocus::Event {
        target: EventId::parse(order.text("event")?)?,
        num_context_events: 10,
        thread_mode: TimelineEventFocusThreadMode::Automatic { hide_threaded_events: false },
    };
    let timeline = phone.room(order)?.timeline_builder().with_focus(focus).build().await?;
    Ok(timeline
        .items()
        .await
        .iter()
        .filter_map(|item| item.as_event())
        .map(|item| json!(body(item.content())))
        .collect())
}

/// Returns the IDs of the roots of a room's threads, and whether the user is subscribed to each.
pub async fn threads(phone: &Phone, order: Order<'_>) -> Result<Value> {
    let room = phone.room(order)?;
    let mut rows = Vec::new();
    for root in room.list_threads(ListThreadsOptions::default()).await?.chunk {
        let Some(id) = root.event_id() else { continue };
        let is_subscribed = room.fetch_thread_subscription(id.to_owned()).await?.is_some();
        rows.push(json!({ "root": id, "isSubscribed": is_subscribed }));
    }
    Ok(Value::Array(rows))
}
