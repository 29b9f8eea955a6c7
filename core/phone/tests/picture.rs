//! A picture travels as it was picked; the server says what it makes of it.

mod support;

use moa_phone::{MOST_PICTURE, Method, PhoneError, Response, TransportError};
use support::{Town, problem};

#[test]
fn a_picture_is_sent_as_it_is_and_one_that_is_too_large_is_cut_where_the_server_refuses_it() {
    let town = Town::new();
    let phone = &town.cafe.phone;
    let request = phone.picture_request(b"\x89PNG".to_vec()).unwrap();
    assert_eq!((request.method, request.path.as_str()), (Method::Post, "/v1/pictures"));
    assert_eq!(request.body.as_deref(), Some(&b"\x89PNG"[..]));
    assert!(request.headers.iter().any(|(name, _)| *name == "dpop"), "it is proved");
    let large = phone.picture_request(vec![0; MOST_PICTURE + 1_000]).unwrap();
    assert_eq!(large.body.map(|body| body.len()), Some(MOST_PICTURE + 1));
}

#[test]
fn the_answer_names_the_picture_or_says_why_there_is_none() {
    let town = Town::new();
    let phone = &town.cafe.phone;
    let answer = |body: &str| Response { status: 200, retry_after_s: None, body: body.as_bytes().to_vec() };
    let id = "0192837465566778899aabbccddeeff0";
    let taken = phone.picture_taken(Ok(answer(&format!(r#"{{"picture":"{id}"}}"#)))).unwrap();
    assert_eq!(taken.to_string(), id);
    let refused = phone.picture_taken(Ok(problem(415, "not_a_picture")));
    assert!(matches!(refused, Err(PhoneError::Problem(problem)) if problem.code == "not_a_picture"));
    for garbage in ["", "{}", "<html>", r#"{"picture":7}"#, r#"{"picture":"../etc"}"#] {
        assert!(phone.picture_taken(Ok(answer(garbage))).is_err(), "{garbage}");
    }
}

#[test]
fn a_picture_that_is_asked_for_is_a_jpeg_or_nothing() {
    let town = Town::new();
    let phone = &town.buyer.phone;
    let id = "0192837465566778899aabbccddeeff0";
    let request = phone.cover_request(id.parse().unwrap());
    assert_eq!((request.method, request.path), (Method::Get, format!("/p/{id}.jpg")));
    let answer = |status, body: &[u8]| Ok(Response { status, retry_after_s: None, body: body.to_vec() });
    let jpeg = b"\xFF\xD8\xFF\xE0 and so on";
    assert_eq!(phone.cover_read(answer(200, jpeg)).unwrap(), jpeg);
    assert!(matches!(phone.cover_read(answer(404, b"{}")), Err(PhoneError::NotHere)));
    for garbage in [&b""[..], b"<html>sign in to the Wi-Fi", b"\xFF\xD8", b"\x89PNG"] {
        assert!(matches!(phone.cover_read(answer(200, garbage)), Err(PhoneError::NotOurServer(_))));
    }
    assert!(phone.cover_read(answer(503, b"busy")).is_err());
    assert!(matches!(phone.cover_read(Err(TransportError::TimedOut)), Err(PhoneError::Offline(_))));
}
