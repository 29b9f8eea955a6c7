//! A picture travels as it was picked; the server says what it makes of it.

mod support;

use moa_phone::{MOST_PICTURE, Method, PhoneError, Response};
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
