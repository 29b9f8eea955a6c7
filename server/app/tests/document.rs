//! The API document says what the server does.

mod support;

use std::collections::BTreeSet;

use serde_json::Value;
use support::{Town, read};

/// Every `$ref` in a document.
fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(reference)) = fields.get("$ref") {
                found.insert(reference.clone());
            }
            fields.values().for_each(|value| references(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[tokio::test]
async fn every_route_in_the_document_answers_with_a_status_that_it_lists() {
    let town = Town::open().await;
    let device = town.enrol("010-1111-1111").await;
    let document: Value = read(town.get("/openapi.json", None).await).await;
    let mut routes = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        let path = path.replace("{id}", "00").replace("{enrolment}", "00");
        for (method, operation) in operations.as_object().unwrap() {
            let request = town.request(method.to_uppercase().parse().unwrap(), &path, &device).await;
            let answer = request.send().await.unwrap();
            let status = answer.status().as_u16().to_string();
            let listed = operation["responses"].as_object().unwrap();
            assert!(listed.contains_key(&status), "{method} {path}: {status}");
            assert!(operation["operationId"].is_string() && operation["summary"].is_string());
            assert_eq!(listed.contains_key("401"), operation["security"].is_array(), "{method} {path}");
            routes += 1;
        }
    }
    assert_eq!(routes, 24);
    town.close().await;
}

#[test]
fn what_the_document_refers_to_is_in_it() {
    let document: Value = serde_json::from_str(&moa_server::http::document(None).unwrap()).unwrap();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(found.len() > 10);
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}
