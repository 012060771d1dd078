// SPDX-License-Identifier: Apache-2.0
//! A client on matrix-sdk and matrix-sdk-ui that acts as Element X does. It obeys commands, one JSON object a line of
//! standard input, and answers each with one line: `{"ok": …}` or `{"error": "…"}`. `RUST_LOG` shows its log.
#![recursion_limit = "256"]

mod account;
mod conversation;
mod phone;
mod room_list;
mod settings;
mod verification;

use std::io::{Write, stdin};

use anyhow::{Context, Result, bail};
use phone::Phone;
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

#[tokio::main]
async fn main() -> Result<()> {
    let filter = std::env::var("RUST_LOG").unwrap_or_else(|_| "off".to_owned());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let mut arguments = std::env::args().skip(1);
    let server = arguments.next().context("usage: myelin-with-rust-sdk SERVER FOLDER")?;
    let folder = arguments.next().context("usage: myelin-with-rust-sdk SERVER FOLDER")?;
    let mut phone = Phone::new(server, folder.into());
    while let Some(line) = spawn_blocking(|| stdin().lines().next()).await?.transpose()? {
        let answer = match obey(&mut phone, &line).await {
            Ok(value) => json!({ "ok": value }),
            Err(error) => json!({ "error": format!("{error:#}") }),
        };
        let mut out = std::io::stdout().lock();
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

/// Carries one command out and returns its result.
async fn obey(phone: &mut Phone, line: &str) -> Result<Value> {
    let command: Value = serde_json::from_str(line)?;
    let order = Order(&command);
    match order.text("do")? {
        "login" => phone.log_in(order).await,
        "restore" => phone.restore().await,
        "start" => phone.start().await,
        "stop" => phone.stop().await,
        "state" => phone.state(),
        "logout" => phone.log_out().await,

        "rooms" => room_list::rooms(phone).await,
        "create" => room_list::create(phone, order).await,
        "join" => room_list::join(phone, order).await,
        "leave" => room_list::leave(phone, order).await,
        "invite" => room_list::invite(phone, order).await,
        "members" => room_list::members(phone, order).await,
        "preview" => room_list::preview(phone, order).await,
        "mark" => room_list::mark(phone, order).await,

        "open" => conversation::open(phone, order).await,
        "timeline" => conversation::timeline(phone, order).await,
        "paginate" => conversation::paginate(phone, order).await,
        "send" => conversation::send(phone, order).await,
        "reply" => conversation::reply(phone, order).await,
        "edit" => conversation::edit(phone, order).await,
        "react" => conversation::react(phone, order).await,
        "redact" => conversation::redact(phone, order).await,
        "pin" => conversation::pin(phone, order).await,
        "attach" => conversation::attach(phone, order).await,
        "fetch" => conversation::fetch(phone, order).await,
        "read" => conversation::read(phone, order).await,
        "type" => conversation::type_text(phone, order).await,
        "typing" => conversation::typing(phone, order),

        "recover" => account::recover(phone, order).await,
        "enable_recovery" => account::enable_recovery(phone).await,
        "encryption" => account::encryption(phone).await,
        "notification" => account::notification(phone, order).await,
        "pusher" => account::pusher(phone, order).await,
        "profile" => account::profile(phone, order).await,
        "mute" => account::mute(phone, order).await,
        "mode" => account::mode(phone, order).await,
        "ignore" => account::ignore(phone, order).await,
        "search_users" => account::search_users(phone, order).await,
        "directory" => account::directory(phone, order).await,
        "space" => account::space(phone, order).await,

        "server" => settings::server(phone).await,
        "moderate" => settings::moderate(phone, order).await,
        "change_room" => settings::change_room(phone, order).await,
        "picture" => settings::picture(phone, order).await,
        "knock" => settings::knock(phone, order).await,
        "permalink" => settings::permalink(phone, order).await,
        "threads" => settings::threads(phone, order).await,

        "verify" => verification::request(phone).await,
        "accept" => verification::accept(phone, order).await,
        "compare" => verification::compare(phone, order).await,
        "accept_comparison" => verification::accept_comparison(phone, order).await,
        "emoji" => verification::emoji(phone, order).await,
        "confirm" => verification::confirm(phone, order).await,
        "reset_identity" => verification::reset_identity(phone, order).await,
        other => bail!("unknown command {other}"),
    }
}

/// The parameters of a command.
#[derive(Clone, Copy)]
pub struct Order<'a>(&'a Value);

impl<'a> Order<'a> {
    /// Returns a parameter that is a string.
    pub fn text(self, name: &str) -> Result<&'a str> {
        self.0[name].as_str().with_context(|| format!("parameter {name} is missing"))
    }

    /// Returns a parameter that is a string, if it is there.
    pub fn text_if(self, name: &str) -> Option<&'a str> {
        self.0[name].as_str()
    }

    /// Returns a parameter that is a boolean; false if it is absent.
    pub fn flag(self, name: &str) -> bool {
        self.0[name].as_bool().unwrap_or(false)
    }

    /// Returns a parameter that is a list of strings; empty if it is absent.
    pub fn texts(self, name: &str) -> Vec<&'a str> {
        self.0[name].as_array().map(|list| list.iter().filter_map(Value::as_str).collect()).unwrap_or_default()
    }
}
