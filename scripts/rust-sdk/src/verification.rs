// SPDX-License-Identifier: Apache-2.0
//! Verification of a device by comparing emoji, and reset of the identity.

use std::time::Duration;

use anyhow::{Context, Result};
use matrix_sdk::{
    encryption::{CrossSigningResetAuthType, verification::SasVerification},
    ruma::{
        UserId,
        api::client::uiaa::{AuthData, Password, UserIdentifier},
        assign,
    },
};
use serde_json::{Value, json};

use crate::{Order, phone::Phone};

/// Asks the user's other devices to verify this one; returns the flow's ID.
pub async fn request(phone: &Phone) -> Result<Value> {
    let client = phone.client()?;
    let own = client.user_id().context("not logged in")?;
    let identity = client.encryption().request_user_identity(own).await?.context("no identity")?;
    Ok(json!(identity.request_verification().await?.flow_id()))
}

/// Accepts a request of another device, once it has come.
pub async fn accept(phone: &Phone, order: Order<'_>) -> Result<Value> {
    let flow = order.text("flow")?;
    loop {
        let encryption = phone.client()?.encryption();
        if let Some(request) = encryption.get_verification_request(own(phone)?, flow).await {
            request.accept().await?;
            return Ok(Value::Null);
        }
        pause().await;
    }
}

/// Begins to compare emoji, once the other device is ready.
pub async fn compare(phone: &Phone, order: Order<'_>) -> Result<Value> {
    let flow = order.text("flow")?;
    let encryption = phone.client()?.encryption();
    let request = encryption.get_verification_request(own(phone)?, flow).await.context("no such request")?;
    while !request.is_ready() {
        pause().await;
    }
    request.start_sas().await?.context("emoji are not supported")?;
    Ok(Value::Null)
}

/// Accepts the comparison that the other device has begun, once it has come.
pub async fn accept_comparison(phone: &Phone, order: Order<'_>) -> Result<Value> {
    comparison(phone, order).await?.accept().await?;
    Ok(Value::Null)
}

/// Returns the emoji, once both devices have them.
pub async fn emoji(phone: &Phone, order: Order<'_>) -> Result<Value> {
    let sas = comparison(phone, order).await?;
    while !sas.can_be_presented() {
        pause().await;
    }
    Ok(sas.emoji().context("no emoji")?.iter().map(|emoji| json!(emoji.symbol)).collect())
}

/// Confirms that the emoji match.
pub async fn confirm(phone: &Phone, order: Order<'_>) -> Result<Value> {
    comparison(phone, order).await?.confirm().await?;
    Ok(Value::Null)
}

/// Replaces the identity of the user, which asks for the password.
pub async fn reset_identity(phone: &Phone, order: Order<'_>) -> Result<Value> {
    let client = phone.client()?;
    let Some(handle) = client.encryption().recovery().reset_identity().await? else {
        return Ok(json!("no authentication"));
    };
    let CrossSigningResetAuthType::Uiaa(info) = handle.auth_type() else { return Ok(json!("OAuth")) };
    let user =
        UserIdentifier::Matrix(matrix_sdk::ruma::api::client::uiaa::MatrixUserIdentifier::new(own(phone)?.to_string()));
    let password = assign!(Password::new(user, order.text("password")?.to_owned()), { session: info.session.clone() });
    handle.reset(Some(AuthData::Password(password))).await?;
    Ok(json!("password"))
}

async fn comparison(phone: &Phone, order: Order<'_>) -> Result<SasVerification> {
    let flow = order.text("flow")?;
    loop {
        let found = phone.client()?.encryption().get_verification(own(phone)?, flow).await;
        if let Some(sas) = found.and_then(|verification| verification.sas()) {
            return Ok(sas);
        }
        pause().await;
    }
}

fn own(phone: &Phone) -> Result<&UserId> {
    phone.client()?.user_id().context("not logged in")
}

async fn pause() {
    tokio::time::sleep(Duration::from_millis(50)).await;
}
