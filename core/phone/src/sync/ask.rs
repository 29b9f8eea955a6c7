//! The requests.

use std::time::Duration;

use moa_wire::api::{Base64, InvitationToSend, MAX_WAIT_S, Ops};
use moa_wire::number::TypedNumber;

use crate::error::{PhoneError, corrupt};
use crate::lookup::Lookup;
use crate::phone::Phone;
use crate::session::Reader;
use crate::transport::{Method, Request, query_value};

const TIMEOUT: Duration = Duration::from_secs(30);
/// What an answer may take beyond the time for which the server was asked to wait.
const GRACE: Duration = Duration::from_secs(10);

/// Sends signed ops, with the phone numbers that some of them name. They need no session: they are signed.
pub(super) fn ops(
    phone: &Phone,
    ops: Vec<Vec<u8>>,
    numbers: Vec<TypedNumber>,
) -> Result<Request, PhoneError> {
    let ops = Ops { ops: ops.into_iter().map(Base64).collect(), numbers };
    let mut headers = headers(phone);
    headers.push(("content-type", "application/json".to_owned()));
    let body = Some(serde_json::to_vec(&ops).map_err(|_| corrupt("ops"))?);
    Ok(Request { method: Method::Post, path: "/v1/ops".to_owned(), headers, body, timeout: TIMEOUT })
}

/// What is new since the cursor, and the next page of the directory where one is wanted.
pub(super) fn changes(
    phone: &Phone,
    reader: &Reader,
    cursor: &str,
    directory: Option<&str>,
) -> Result<Request, PhoneError> {
    let (cursor, directory) = (query_value(cursor), directory.map(query_value));
    let page = directory.map(|from| format!("&directory={from}")).unwrap_or_default();
    get(phone, reader, format!("/v1/changes?cursor={cursor}&wait=0{page}"))
}

/// Waits for something new.
pub(super) fn wait(phone: &Phone, reader: &Reader, cursor: &str) -> Result<Request, PhoneError> {
    let cursor = query_value(cursor);
    let request = get(phone, reader, format!("/v1/changes?cursor={cursor}&wait={MAX_WAIT_S}"))?;
    Ok(Request { timeout: Duration::from_secs(MAX_WAIT_S) + GRACE, ..request })
}

/// Where the caller stands.
pub(super) fn snapshot(phone: &Phone, reader: &Reader) -> Result<Request, PhoneError> {
    get(phone, reader, "/v1/snapshot".to_owned())
}

/// One thing of the directory.
pub(super) fn lookup(phone: &Phone, reader: &Reader, lookup: Lookup) -> Result<Request, PhoneError> {
    let path = match lookup {
        Lookup::Key(key) => format!("/v1/keys/{key}"),
        Lookup::Merchant(merchant) => format!("/v1/merchants/{merchant}"),
        Lookup::Group(group) => format!("/v1/groups/{group}"),
    };
    get(phone, reader, path)
}

/// Has the server send an invitation by mail or text message.
pub(super) fn send_invitation(
    phone: &Phone,
    reader: &Reader,
    invitation: &InvitationToSend,
) -> Result<Request, PhoneError> {
    let mut headers = headers(phone);
    headers.push(("content-type", "application/json".to_owned()));
    let body = Some(serde_json::to_vec(invitation).map_err(|_| corrupt("invitation"))?);
    let path = "/v1/invitations/send".to_owned();
    reader.prove(phone, Request { method: Method::Post, path, headers, body, timeout: TIMEOUT })
}

fn get(phone: &Phone, reader: &Reader, path: String) -> Result<Request, PhoneError> {
    let headers = headers(phone);
    reader.prove(phone, Request { method: Method::Get, path, headers, body: None, timeout: TIMEOUT })
}

fn headers(phone: &Phone) -> Vec<(&'static str, String)> {
    vec![("accept", "application/json".to_owned()), ("accept-language", phone.language().to_owned())]
}
