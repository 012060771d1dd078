// SPDX-License-Identifier: Apache-2.0
//! The screen of one room.

use std::sync::Arc;

use anyhow::{Context, Result, bail};
use matrix_sdk::{
    media::{MediaFormat, MediaRequestParameters},
    room::edit::EditedContent,
    ruma::{
        EventId, RoomId,
        api::client::receipt::create_receipt::v3::ReceiptType,
        events::room::message::{MessageType, RoomMessageEventContent, RoomMessageEventContentWithoutRelation},
    },
};
use matrix_sdk_ui::{
    Timeline,
    timeline::{AttachmentConfig, AttachmentSource, EventTimelineItem, RoomExt, TimelineEventItemId},
};
use serde_json::{Value, json};

use crate::{Order, phone::Phone, room_list::body};

/// Opens a room: subscribes to it, loads its timeline and listens to typing users.
pub async fn open(phone: &mut Phone, order: Order<'_>) -> Result<Value> {
    let room = phone.room(order)?;
    let id = room.room_id().to_owned();
    if !phone.timelines.contains_key(&id) {
        phone.timelines.insert(id.clone(), Arc::new(room.timeline_builder().build().await?));
        let (guard, mut receiver) = room.subscribe_to_typing_notifications();
        let (typing, key) = (phone.typing.clone(), id.clone());
        tokio::spawn(async move {
            let _guard = guard;
            while let Ok(users) = receiver.recv().await {
                typing.lock().expect("no panic under the lock").insert(key.clone(), users);
            }
        });
    }
    let opened: Vec<&RoomId> = phone.timelines.keys().map(|id| &**id).collect();
    phone.sync()?.room_list_service().set_room_subscriptions(&opened).await;
    Ok(Value::Null)
}

fn opened<'a>(phone: &'a Phone, order: Order<'_>) -> Result<&'a Arc<Timeline>> {
    let id = RoomId::parse(order.text("room")?)?;
    phone.timelines.get(&id).with_context(|| format!("room {id} is not open"))
}

async fn find(timeline: &Timeline, text: &str) -> Result<EventTimelineItem> {
    let items = timeline.items().await;
    let found = items.iter().rev().filter_map(|item| item.as_event()).find(|item| body(item.content()) == text);
    found.cloned().with_context(|| format!("no message {text}"))
}

/// Returns the items of an open room's timeline, oldest first.
pub async fn timeline(phone: &Phone, order: Order<'_>) -> Result<Value> {
    let timeline = opened(phone, order)?;
    let items = timeline.items().await;
    let rows = items.iter().filter_map(|item| item.as_event()).map(|item| {
        let content = item.content();
        let reactions = content.reactions().map(|all| {
            all.iter().map(|(key, senders)| (key.clone(), json!(senders.keys().collect::<Vec<_>>()))).collect()
        });
        json!({
            "id": item.event_id(),
            "sender": item.sender(),
            "body": body(content),
            "isLocal": item.is_local_echo(),
            "sendState": item.send_state().map(|state| format!("{state:?}")),
            "isEdited": content.as_message().is_some_and(|message| message.is_edited()),
            "isEncrypted": item.encryption_info().is_some(),
            "reactions": Value::Object(reactions.unwrap_or_default()),
            "readers": item.read_receipts().keys().collect::<Vec<_>>(),
            "thread": content.thread_root(),
            "replies": content.thread_summary().map(|summary| summary.num_replies),
        })
    });
    Ok(rows.collect())
}

/// Loads older messages; returns whether the start of the room was reached.
pub async fn paginate(phone: &Phone, order: Order<'_>) -> Result<Value> {
    Ok(json!(opened(phone, order)?.paginate_backwards(20).await?))
}

/// Sends a text through the send queue. `mention` names a user.
pub async fn send(phone: &Phone, order: Order<'_>) -> Result<Value> {
    let mut content = RoomMessageEventContent::text_plain(order.text("text")?);
    if let Some(user) = order.text_if("mention") {
        content = content.add_mentions(matrix_sdk::ruma::events::Mentions::with_user_ids([user.try_into()?]));
    }
    opened(phone, order)?.send(content.into()).await?;
    Ok(Value::Null)
}

/// Replies to a message, with `thread` in a thread.
pub async fn reply(phone: &Phone, order: Order<'_>) -> Result<Value> {
    let timeline = opened(phone, order)?;
    let target = find(timeline, order.text("to")?).await?.event_id().context("not sent yet")?.to_owned();
    let content = RoomMessageEventContentWithoutRelation::text_plain(order.text("text")?);
    if !order.flag("thread") {
        timeline.send_reply(content, target).await?;
        return Ok(Value::Null);
    }
    let focus = matrix_sdk_ui::timeline::TimelineFocus::Thread { root_event_id: target.clone() };
    let thread = phone.room(order)?.timeline_builder().with_focus(focus).build().await?;
    thread.send(RoomMessageEventContent::from(content).into()).await?;
    // Element X subscribes to a thread in which its user writes.
    phone.room(order)?.subscribe_thread_if_needed(&target, None).await?;
    Ok(Value::Null)
}

/// Edits a message.
pub async fn edit(phone: &Phone, order: Order<'_>) -> Result<Value> {
    let timeline = opened(phone, order)?;
    let item = find(timeline, order.text("message")?).await?;
    let content = RoomMessageEventContentWithoutRelation::text_plain(order.text("text")?);
    timeline.edit(&item.identifier(), EditedContent::RoomMessage(content)).await?;
    Ok(Value::Null)
}

/// Adds or removes a reaction.
pub async fn react(phone: &Phone, order: Order<'_>) -> Result<Value> {
    let timeline = opened(phone, order)?;
    let id: TimelineEventItemId = find(timeline, order.text("message")?).await?.identifier();
    Ok(json!(timeline.toggle_reaction(&id, order.text("key")?).await?))
}

/// Removes a message.
pub async fn redact(phone: &Phone, order: Order<'_>) -> Result<Value> {
    let timeline = opened(phone, order)?;
    let id = find(timeline, order.text("message")?).await?.identifier();
    timeline.redact(&id, None).await?;
    Ok(Value::Null)
}

/// Pins a message.
pub async fn pin(phone: &Phone, order: Order<'_>) -> Result<Value> {
    let item = find(opened(phone, order)?, order.text("message")?).await?;
    Ok(json!(phone.room(order)?.pin_event(item.event_id().context("not sent yet")?).await?))
}

/// Sends a file with this text as its bytes.
pub async fn attach(phone: &Phone, order: Order<'_>) -> Result<Value> {
    let source = AttachmentSource::Data {
        bytes: order.text("text")?.as_bytes().to_vec(),
        filename: order.text("file")?.to_owned(),
    };
    let kind = "text/plain".parse()?;
    opened(phone, order)?.send_attachment(source, kind, AttachmentConfig::default()).await?;
    Ok(Value::Null)
}

/// Returns the bytes of a file as text.
pub async fn fetch(phone: &Phone, order: Order<'_>) -> Result<Value> {
    let item = find(opened(phone, order)?, order.text("file")?).await?;
    let message = item.content().as_message().context("not a message")?.msgtype().clone();
    let MessageType::File(file) = message else { bail!("not a file") };
    let request = MediaRequestParameters { source: file.source, format: MediaFormat::File };
    let bytes = phone.client()?.media().get_media_content(&request, false).await?;
    Ok(json!(String::from_utf8(bytes)?))
}

/// Marks a room as read, with a public receipt or with `private` a private one, and moves the fully-read marker.
pub async fn read(phone: &Phone, order: Order<'_>) -> Result<Value> {
    let timeline = opened(phone, order)?;
    let kind = if order.flag("private") { ReceiptType::ReadPrivate } else { ReceiptType::Read };
    let is_sent = timeline.mark_as_read(kind).await?;
    timeline.mark_as_read(ReceiptType::FullyRead).await?;
    Ok(json!(is_sent))
}

/// Tells the room that the user types, or does not any more.
pub async fn type_text(phone: &Phone, order: Order<'_>) -> Result<Value> {
    phone.room(order)?.typing_notice(order.flag("on")).await?;
    Ok(Value::Null)
}

/// Returns the users that type in an open room.
pub fn typing(phone: &Phone, order: Order<'_>) -> Result<Value> {
    let id = RoomId::parse(order.text("room")?)?;
    let typing = phone.typing.lock().expect("no panic under the lock");
    Ok(json!(typing.get(&id).cloned().unwrap_or_default()))
}

/// Returns the event ID that a parameter names.
pub fn event_id(order: Order<'_>) -> Result<matrix_sdk::ruma::OwnedEventId> {
    Ok(EventId::parse(order.text("event")?)?)
}
