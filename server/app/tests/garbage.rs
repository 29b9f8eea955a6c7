//! Whatever arrives, every endpoint answers in the one form, and goes on serving.

mod support;

use std::time::Duration;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use support::{Town, problem, read};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const POSTS: [&str; 3] =
    ["/v1/enrolments", "/v1/enrolments/0192837465566778899aabbccddeeff0/confirm", "/v1/ops"];
/// Those that need a proof and no token.
const PROVED_POSTS: [&str; 3] = ["/v1/sessions", "/v1/sessions/refresh", "/v1/sessions/end"];
/// Those that need a token.
const CALLERS_POSTS: [&str; 2] = ["/v1/one-time-codes", "/v1/one-time-codes/look-up"];
const READS: [&str; 9] = [
    "/v1/devices",
    "/v1/changes",
    "/v1/snapshot",
    "/v1/directory",
    "/v1/search",
    "/v1/groups/00000000000000000000000000000000",
    "/v1/merchants/00000000000000000000000000000000",
    "/v1/keys/0000000000000000",
    "/v1/development/inbox",
];

/// Values in the shapes of the API, and in others.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
        "[A-Za-z0-9+/]{0,40}=?".prop_map(Value::from),
    ];
    let name = prop_oneof![
        Just("ops".to_owned()),
        Just("phone".to_owned()),
        Just("public_key".to_owned()),
        Just("code".to_owned()),
        Just("possession".to_owned()),
        Just("digits".to_owned()),
        Just("numbers".to_owned()),
        Just("salt".to_owned()),
        Just("number".to_owned()),
        Just("endorsement".to_owned()),
        Just("name".to_owned()),
        Just("refresh".to_owned()),
        Just("recovery".to_owned()),
        ".{0,8}",
    ];
    leaf.prop_recursive(4, 40, 8, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            proptest::collection::btree_map(name.clone(), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn sample<T: std::fmt::Debug>(strategy: impl Strategy<Value = T>, count: usize) -> Vec<T> {
    let mut runner = TestRunner::deterministic();
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |coded, byte| format!("{coded}%{byte:02X}"))
}

#[tokio::test]
async fn random_bytes_and_random_json_get_a_problem_or_an_answer() {
    let town = Town::open().await;
    let cafe = town.shop("010-1111-1111", "Cafe").await;
    let bytes = sample(proptest::collection::vec(any::<u8>(), 0..400), 60);
    let values = sample(any_json(), 200);
    let bodies = bytes.into_iter().chain(values.iter().map(|value| value.to_string().into_bytes()));
    for body in bodies {
        for path in POSTS.iter().chain(&CALLERS_POSTS).chain(&PROVED_POSTS) {
            let proved = if PROVED_POSTS.contains(path) {
                town.proved(path, &cafe.device)
            } else {
                town.request(Method::POST, path, &cafe.device).await
            };
            let request = proved.header("content-type", "application/json");
            let answer = request.body(body.clone()).send().await.unwrap();
            if answer.status() != StatusCode::OK {
                let told = problem(answer).await;
                assert!((400..500).contains(&told.status), "{path}: {told:?}");
            }
        }
    }
    let _: moa_server::http::Health = read(town.get("/healthz", None).await).await;
    town.close().await;
}

#[tokio::test]
async fn random_parameters_paths_and_headers_get_a_problem_or_an_answer() {
    let town = Town::open().await;
    let device = town.enrol("010-1111-1111").await;
    for text in sample("[ -~가-힣]{0,60}", 100) {
        let coded = percent_encoded(&text);
        for path in READS {
            for parameter in ["cursor", "wait", "phone", "text", "area", "lat_e6", "limit", "x"] {
                let answer = town.get(&format!("{path}?{parameter}={coded}"), &device).await;
                if answer.status() != StatusCode::OK {
                    let told = problem(answer).await;
                    assert!((400..500).contains(&told.status), "{path}: {told:?}");
                }
            }
        }
        for path in ["/", "/v1/groups/", "/v1/merchants/", "/v1/keys/", "/v1/enrolments/"] {
            let told = problem(town.get(&format!("{path}{coded}"), &device).await).await;
            assert!([404, 405].contains(&told.status), "{told:?}");
        }
    }
    for value in sample("[!-~][ -~]{0,60}", 100) {
        let request = town.client.get(town.url("/v1/snapshot")).header("authorization", &value);
        assert_eq!(problem(request.send().await.unwrap()).await.code, "unauthorized");
        let request = town.client.get(town.url("/v1/snapshot")).header("authorization", "DPoP none");
        let told = problem(request.header("dpop", &value).send().await.unwrap()).await;
        assert_eq!(told.code, "proof_wrong");
        let request = town.client.get(town.url("/nothing")).header("accept-language", &value);
        assert_eq!(problem(request.send().await.unwrap()).await.code, "not_found");
    }
    town.close().await;
}

#[tokio::test]
async fn reads_without_a_token_and_wrong_methods_are_refused() {
    let town = Town::open().await;
    for path in &READS[..8] {
        let answer = town.client.get(town.url(path)).send().await.unwrap();
        assert_eq!(answer.headers()["www-authenticate"], r#"DPoP algs="ES256""#);
        let told = problem(answer).await;
        assert_eq!((told.status, told.code.as_str()), (401, "unauthorized"), "{path}");
    }
    for path in CALLERS_POSTS {
        let answer = town.post(path, &json!({})).await;
        assert_eq!(problem(answer).await.code, "unauthorized", "{path}");
    }
    for path in PROVED_POSTS {
        let answer = town.post(path, &json!({})).await;
        assert_eq!(problem(answer).await.code, "proof_wrong", "{path}");
    }
    for path in POSTS.iter().chain(&CALLERS_POSTS).chain(&PROVED_POSTS).chain(&READS) {
        for method in [Method::DELETE, Method::PATCH, Method::OPTIONS] {
            let answer = town.client.request(method, town.url(path)).send().await.unwrap();
            assert!(answer.headers().contains_key("allow"), "{path}");
            let told = problem(answer).await;
            assert_eq!((told.status, told.code.as_str()), (405, "method_not_allowed"), "{path}");
        }
    }
    town.close().await;
}

#[tokio::test]
async fn bodies_that_are_too_long_or_no_json_are_refused() {
    let town = Town::open().await;
    let limit = moa_wire::api::MAX_BODY;
    for path in POSTS {
        for length in [limit + 1, 2 * limit, 20 * limit] {
            let request = town.client.post(town.url(path)).header("content-type", "application/json");
            // Of a body beyond all measure the rest is not even read; then the sender may see a cut connection.
            match request.body(vec![b'['; length]).send().await {
                Ok(answer) => {
                    let told = problem(answer).await;
                    assert_eq!((told.status, told.code.as_str()), (413, "body_too_large"));
                    assert_eq!(told.figures["max_bytes"], limit);
                }
                Err(error) => assert!(length > 8 * limit, "{length}: {error}"),
            }
        }
        let deep = "[".repeat(limit);
        for body in ["", "{", "null", "{}", "\u{feff}{}", &deep] {
            let request = town.client.post(town.url(path)).header("content-type", "application/json");
            let told = problem(request.body(body.to_owned()).send().await.unwrap()).await;
            assert_eq!((told.status, told.code.as_str()), (400, "broken_json"), "{path}");
        }
        for media_type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""] {
            let request = town.client.post(town.url(path)).header("content-type", media_type);
            let told = problem(request.body("{}").send().await.unwrap()).await;
            assert_eq!((told.status, told.code.as_str()), (415, "not_json"), "{media_type}");
        }
    }
    town.close().await;
}

#[tokio::test]
async fn a_request_has_one_to_a_hundred_ops() {
    let town = Town::open().await;
    let told = problem(town.post("/v1/ops", &json!({ "ops": [] })).await).await;
    assert_eq!((told.status, told.code.as_str()), (400, "no_ops"));
    let told = problem(town.post("/v1/ops", &json!({ "ops": vec![""; 101] })).await).await;
    assert_eq!((told.status, told.code.as_str(), &told.figures["max"]), (400, "too_many_ops", &100.into()));
    let verdicts: moa_wire::api::Verdicts =
        read(town.post("/v1/ops", &json!({ "ops": vec![""; 100], "unknown": 1 })).await).await;
    assert_eq!(verdicts.verdicts.len(), 100);
    town.close().await;
}

#[tokio::test]
async fn what_is_not_even_http_does_not_disturb_others() {
    let town = Town::open().await;
    let mut streams = Vec::new();
    for bytes in sample(proptest::collection::vec(any::<u8>(), 1..2_000), 50) {
        let mut stream = TcpStream::connect(town.server.address()).await.unwrap();
        // The server may hang up before it has read everything.
        let _ = stream.write_all(&bytes).await;
        streams.push(stream);
    }
    let mut endless = TcpStream::connect(town.server.address()).await.unwrap();
    let _ = endless.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n").await;
    for _ in 0..100_000 {
        if endless.write_all(b"x-header: and another one and another one\r\n").await.is_err() {
            break;
        }
    }
    let _: moa_server::http::Health = read(town.get("/healthz", None).await).await;
    let mut half = TcpStream::connect(town.server.address()).await.unwrap();
    half.write_all(
        b"POST /v1/ops HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n{",
    )
    .await
    .unwrap();
    half.shutdown().await.unwrap();
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(20), half.read_to_end(&mut answer)).await.unwrap();
    drop(streams);
    town.close().await;
}
