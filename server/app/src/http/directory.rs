//! The directory: shops, their groups, and the keys that sign their sales. The same for every caller.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use moa_rules::id::{GroupId, KeyId, MerchantId};
use moa_rules::time::Timestamp;
use moa_wire::api::{Directory, GroupEntry, MAX_DIRECTORY, MerchantEntry};
use moa_words::ProblemText;
use serde::Deserialize;

use super::problems::{Fault, ProblemResponse};
use super::requests::{Id, Named, Parameters};
use crate::app::App;
use crate::auth::Caller;
use crate::cursor::DirectoryCursor;

/// At the end of the directory the cursor steps back so far: another server may commit something that it dated
/// before what this one has shown. Readers take what they have for what they get.
const STEP_BACK: i64 = Timestamp::MINUTE;

/// The most ids of members and groups in one answer, some 1.4 MB: a page ends early where groups are large.
const MAX_IDS: usize = 40_000;

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Query {
    /// From the last answer; without one, from the beginning.
    cursor: Option<String>,
}

impl Named for Query {
    const NAME: &'static str = "cursor";
}

/// Shops and their groups that changed since the cursor, at most 200; some may come twice.
#[utoipa::path(
    get,
    path = "/v1/directory",
    tag = "reads",
    operation_id = "read_directory",
    params(Query),
    security(("token" = [], "proof" = [])),
    responses(
        (status = 200, description = "Shops in the order in which they changed", body = Directory),
        (status = 400, response = ProblemResponse),
        (status = 401, response = ProblemResponse),
        (status = 500, response = ProblemResponse),
        (status = 503, response = ProblemResponse),
    )
)]
pub(super) async fn directory(
    State(app): State<Arc<App>>,
    _: Caller,
    Parameters(query): Parameters<Query>,
) -> Result<Json<Directory>, Fault> {
    let cursor = DirectoryCursor::read(query.cursor.as_deref())?;
    app.blocking(move |app| page(app, cursor)).await.map(Json)
}

/// The page of the directory after a cursor.
pub(super) fn page(app: &App, DirectoryCursor(time, id): DirectoryCursor) -> Result<Directory, Fault> {
    let now = app.engine.now();
    let shops = app.store().directory((time, id), MAX_DIRECTORY)?;
    let mut more = shops.len() == MAX_DIRECTORY;
    let mut cursor = DirectoryCursor(time, id);
    let (mut merchants, mut groups, mut seen, mut ids) = (Vec::new(), Vec::new(), BTreeSet::new(), 0);
    for shop in shops {
        let mut fresh = Vec::new();
        for group in shop.groups.iter().filter(|group| !seen.contains(*group)) {
            fresh.extend(app.store().group(*group)?);
        }
        ids += shop.groups.len() + fresh.iter().map(|group| group.members.len()).sum::<usize>();
        if ids > MAX_IDS && !merchants.is_empty() {
            more = true;
            break;
        }
        seen.extend(shop.groups.iter().copied());
        cursor = DirectoryCursor(shop.changed_at, shop.merchant.id);
        groups.extend(fresh.into_iter().map(GroupEntry::from));
        merchants.push(MerchantEntry::from(shop));
    }
    if !more {
        cursor = DirectoryCursor(now.plus(-STEP_BACK), MerchantId([0; 16]));
    }
    Ok(Directory { merchants, groups, cursor: cursor.text(), more })
}

/// One group: its terms and members.
#[utoipa::path(
    get,
    path = "/v1/groups/{id}",
    tag = "reads",
    operation_id = "read_group",
    params(("id" = String, Path, description = "The group's id")),
    security(("token" = [], "proof" = [])),
    responses(
        (status = 200, description = "The group", body = GroupEntry),
        (status = 401, response = ProblemResponse),
        (status = 404, response = ProblemResponse),
        (status = 500, response = ProblemResponse),
        (status = 503, response = ProblemResponse),
    )
)]
pub(super) async fn group(
    State(app): State<Arc<App>>,
    _: Caller,
    Id(id): Id<GroupId>,
) -> Result<Json<GroupEntry>, Fault> {
    let group = app.blocking(move |app| app.store().group(id)).await?;
    group.map(|group| Json(GroupEntry::from(group))).ok_or(Fault(ProblemText::NotFound))
}

/// One shop: its groups and the keys that sign its sales.
#[utoipa::path(
    get,
    path = "/v1/merchants/{id}",
    tag = "reads",
    operation_id = "read_merchant",
    params(("id" = String, Path, description = "The shop's id")),
    security(("token" = [], "proof" = [])),
    responses(
        (status = 200, description = "The shop", body = MerchantEntry),
        (status = 401, response = ProblemResponse),
        (status = 404, response = ProblemResponse),
        (status = 500, response = ProblemResponse),
        (status = 503, response = ProblemResponse),
    )
)]
pub(super) async fn merchant(
    State(app): State<Arc<App>>,
    _: Caller,
    Id(id): Id<MerchantId>,
) -> Result<Json<MerchantEntry>, Fault> {
    let shop = app.blocking(move |app| app.store().merchant(id)).await?;
    shop.map(|shop| Json(MerchantEntry::from(shop))).ok_or(Fault(ProblemText::NotFound))
}

/// The shop that a key acts for: who signed a voucher.
#[utoipa::path(
    get,
    path = "/v1/keys/{id}",
    tag = "reads",
    operation_id = "read_merchant_of_key",
    params(("id" = String, Path, description = "The key's id, 16 hex digits")),
    security(("token" = [], "proof" = [])),
    responses(
        (status = 200, description = "The key's shop", body = MerchantEntry),
        (status = 401, response = ProblemResponse),
        (status = 404, response = ProblemResponse),
        (status = 500, response = ProblemResponse),
        (status = 503, response = ProblemResponse),
    )
)]
pub(super) async fn key(
    State(app): State<Arc<App>>,
    _: Caller,
    Id(id): Id<KeyId>,
) -> Result<Json<MerchantEntry>, Fault> {
    let shop = app.blocking(move |app| {
        let merchant = app.store().device(id)?.and_then(|device| device.merchant);
        merchant.map_or(Ok(None), |merchant| app.store().merchant(merchant))
    });
    shop.await?.map(|shop| Json(MerchantEntry::from(shop))).ok_or(Fault(ProblemText::NotFound))
}
