// SPDX-License-Identifier: Apache-2.0
//! The session of a phone: log in, restore, and the sync service with its room list.

use std::{
    collections::HashMap,
    fs,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use anyhow::{Context, Result};
use futures_util::{StreamExt, pin_mut};
use matrix_sdk::{
    Client, Room, ThreadingSupport,
    authentication::matrix::MatrixSession,
    encryption::{BackupDownloadStrategy, EncryptionSettings},
    ruma::{OwnedRoomId, OwnedUserId, RoomId},
    sliding_sync::VersionBuilder,
};
use matrix_sdk_ui::{
    Timeline,
    eyeball_im::Vector,
    room_list_service::{RoomListItem, filters::new_filter_non_left},
    sync_service::{State, SyncService},
};
use serde_json::{Value, json};

use crate::Order;

/// Most rooms the list shows at a time, as on the first screen of a phone and some more.
const PAGE_SIZE: usize = 200;

/// A client with its store in a folder.
pub struct Phone {
    server: String,
    folder: PathBuf,
    client: Option<Client>,
    sync: Option<Arc<SyncService>>,
    /// The room list in the order in which Element X shows it.
    pub list: Arc<Mutex<Vector<RoomListItem>>>,
    /// The rooms that are on the screen.
    pub timelines: HashMap<OwnedRoomId, Arc<Timeline>>,
    /// The users that type, by room.
    pub typing: Arc<Mutex<HashMap<OwnedRoomId, Vec<OwnedUserId>>>>,
}

impl Phone {
    /// Returns a phone that has not logged in yet.
    pub fn new(server: String, folder: PathBuf) -> Self {
        Self {
            server,
            folder,
            client: None,
            sync: None,
            list: Arc::default(),
            timelines: HashMap::new(),
            typing: Arc::default(),
        }
    }

    /// Returns the client; an error before the login.
    pub fn client(&self) -> Result<&Client> {
        self.client.as_ref().context("not logged in")
    }

    /// Returns the sync service; an error before it was started.
    pub fn sync(&self) -> Result<&Arc<SyncService>> {
        self.sync.as_ref().context("not started")
    }

    /// Returns a room that the client knows.
    pub fn room(&self, order: Order<'_>) -> Result<Room> {
        let id = RoomId::parse(order.text("room")?)?;
        self.client()?.get_room(&id).with_context(|| format!("the client does not know room {id}"))
    }

    /// Asks the server for its ways to log in, as the first screens do, and logs in by password.
    pub async fn log_in(&mut self, order: Order<'_>) -> Result<Value> {
        let client = self.build().await?;
        let sign_in = client.oauth().server_metadata().await;
        let types = client.matrix_auth().get_login_types().await?.flows.len();
        client
            .matrix_auth()
            .login_username(order.text("user")?, order.text("password")?)
            .initial_device_display_name("Phone")
            .send()
            .await?;
        let session = client.matrix_auth().session().context("no session after the login")?;
        fs::write(self.session_file(), serde_json::to_vec(&session)?)?;
        client.encryption().wait_for_e2ee_initialization_tasks().await;
        let answer = json!({
            "user": session.meta.user_id,
            "token": session.tokens.access_token,
            "loginTypes": types,
            "hasOauth": sign_in.is_ok(),
            "slidingSync": format!("{:?}", client.sliding_sync_version()),
        });
        self.client = Some(client);
        Ok(answer)
    }

    /// Opens the session of the folder again.
    pub async fn restore(&mut self) -> Result<Value> {
        let session: MatrixSession = serde_json::from_slice(&fs::read(self.session_file())?)?;
        let client = self.build().await?;
        let known = session.meta.user_id.clone();
        client.restore_session(session).await?;
        self.client = Some(client);
        Ok(json!({ "user": known }))
    }

    /// Starts the sync service and follows the room list.
    pub async fn start(&mut self) -> Result<Value> {
        if self.sync.is_none() {
            let client = self.client()?.clone();
            let sync = Arc::new(SyncService::builder(client.clone()).with_offline_mode().build().await?);
            self.follow_list(sync.clone());
            resend_after_outages(client, sync.clone());
            self.sync = Some(sync);
        }
        self.sync()?.start().await;
        Ok(Value::Null)
    }

    /// Stops the sync service, as when the app goes to the background.
    pub async fn stop(&mut self) -> Result<Value> {
        self.sync()?.stop().await;
        Ok(Value::Null)
    }

    /// Returns the state of the sync service and of the room list.
    pub fn state(&self) -> Result<Value> {
        let sync = self.sync()?;
        let service = match sync.state().get() {
            State::Error(error) => format!("Error: {error}"),
            other => format!("{other:?}"),
        };
        Ok(json!({ "service": service, "list": format!("{:?}", sync.room_list_service().state().get()) }))
    }

    /// Logs out.
    pub async fn log_out(&mut self) -> Result<Value> {
        self.client()?.logout().await?;
        Ok(Value::Null)
    }

    async fn build(&self) -> Result<Client> {
        fs::create_dir_all(&self.folder)?;
        let settings = EncryptionSettings {
            auto_enable_cross_signing: true,
            backup_download_strategy: BackupDownloadStrategy::AfterDecryptionFailure,
            auto_enable_backups: true,
        };
        Ok(Client::builder()
            .server_name_or_homeserver_url(&self.server)
            .sliding_sync_version_builder(VersionBuilder::DiscoverNative)
            .sqlite_store(self.folder.join("store"), None)
            .with_encryption_settings(settings)
            .with_threading_support(ThreadingSupport::Enabled { with_subscriptions: true })
            .with_enable_share_history_on_invite(true)
            .handle_refresh_tokens()
            .build()
            .await?)
    }

    fn session_file(&self) -> PathBuf {
        self.folder.join("session.json")
    }

    fn follow_list(&self, sync: Arc<SyncService>) {
        let shown = self.list.clone();
        tokio::spawn(async move {
            let list = sync.room_list_service().all_rooms().await.expect("the list of all rooms");
            let (stream, controller) = list.entries_with_dynamic_adapters(PAGE_SIZE);
            controller.set_filter(Box::new(new_filter_non_left()));
            pin_mut!(stream);
            while let Some(changes) = stream.next().await {
                let mut rooms = shown.lock().expect("no panic under the lock");
                for change in changes {
                    change.apply(&mut rooms);
                }
            }
        });
    }
}

/// Lets the send queue go on when the sync service runs again: a request that failed has stopped the queue.
fn resend_after_outages(client: Client, sync: Arc<SyncService>) {
    tokio::spawn(async move {
        let mut states = sync.state();
        while let Some(state) = states.next().await {
            if matches!(state, State::Running) {
                client.send_queue().set_enabled(true).await;
            }
        }
    });
}
