//! The HTTP transport against sockets on this machine.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use moa_phone::{
    BadServer, HttpOptions, HttpTransport, MAX_ANSWER, Method, Request, Response, Transport, TransportError,
};

fn request(path: &str) -> Request {
    Request {
        method: Method::Post,
        path: path.into(),
        headers: vec![("authorization", "Bearer secret".into())],
        body: Some(b"{}".to_vec()),
        timeout: Duration::from_secs(30),
    }
}

/// Reads one request, gives this answer, closes. Gives back what it read.
fn serve(answer: Vec<u8>) -> (HttpTransport, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}/", listener.local_addr().unwrap());
    let served = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut read, mut buffer) = (Vec::new(), [0; 1_024]);
        while !read.ends_with(b"{}") {
            let count = stream.read(&mut buffer).unwrap();
            assert_ne!(count, 0);
            read.extend_from_slice(&buffer[..count]);
        }
        // Whoever has seen enough hangs up.
        let _ = stream.write_all(&answer);
        String::from_utf8(read).unwrap()
    });
    (HttpTransport::new(&base, HttpOptions::default()).unwrap(), served)
}

#[tokio::test]
async fn a_request_travels_whole_and_so_does_its_answer() {
    let answer = b"HTTP/1.1 503 Busy\r\nretry-after: 7\r\ncontent-length: 2\r\n\r\nno".to_vec();
    let (transport, served) = serve(answer);
    let response = transport.send(request("/v1/changes?cursor=a%20b&wait=0")).await.unwrap();
    assert_eq!(response, Response { status: 503, retry_after_s: Some(7), body: b"no".to_vec() });
    let read = served.join().unwrap();
    assert!(read.starts_with("POST /v1/changes?cursor=a%20b&wait=0 HTTP/1.1\r\n"), "{read}");
    assert!(read.contains("authorization: Bearer secret\r\n"), "{read}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let answer = b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n".to_vec();
    let (transport, _served) = serve(answer);
    assert_eq!(transport.send(request("/")).await.unwrap().status, 302);
}

#[tokio::test]
async fn edge_49_an_answer_that_breaks_off_or_never_ends_is_none() {
    let (transport, _served) = serve(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf".to_vec());
    assert!(matches!(transport.send(request("/")).await, Err(TransportError::Broken(_))));

    let mut endless = b"HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n".to_vec();
    endless.resize(endless.len() + MAX_ANSWER + 1, b' ');
    let (transport, _served) = serve(endless);
    assert_eq!(transport.send(request("/")).await, Err(TransportError::TooLarge));

    let (transport, _served) = serve(Vec::new());
    assert!(matches!(transport.send(request("/")).await, Err(TransportError::Broken(_))));
}

#[tokio::test]
async fn nobody_there_and_nobody_answering_are_told_apart() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let transport = HttpTransport::new(&base, HttpOptions::default()).unwrap();
    let hasty = Request { timeout: Duration::from_millis(50), ..request("/") };
    assert_eq!(transport.send(hasty).await, Err(TransportError::TimedOut));
    drop(listener);
    let gone = transport.send(request("/")).await;
    assert!(matches!(gone, Err(TransportError::Unreachable(_) | TransportError::Broken(_))), "{gone:?}");
}

/// Made for this test alone, good for a hundred years:
/// `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 36500 -subj "/CN=Moa test server"
/// -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE`
const CERTIFICATE: &[u8] = include_bytes!("tls/server.crt.der");
const KEY: &[u8] = include_bytes!("tls/server.key.der");

/// Answers one request over TLS, if the client goes that far.
fn serve_tls() -> (String, JoinHandle<bool>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let served = thread::spawn(move || {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![CERTIFICATE.to_vec().into()], KEY.to_vec().try_into().unwrap())
            .unwrap();
        let mut connection = rustls::ServerConnection::new(Arc::new(config)).unwrap();
        let (mut stream, _) = listener.accept().unwrap();
        let mut stream = rustls::Stream::new(&mut connection, &mut stream);
        let (mut read, mut buffer) = (Vec::new(), [0; 1_024]);
        while !read.ends_with(b"{}") {
            match stream.read(&mut buffer) {
                Ok(count) if count > 0 => read.extend_from_slice(&buffer[..count]),
                _ => return false,
            }
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").is_ok()
    });
    (base, served)
}

#[tokio::test]
async fn tls_takes_the_roots_that_it_was_given() {
    let (base, served) = serve_tls();
    let own = HttpOptions { roots: Some(vec![CERTIFICATE.to_vec()]), ..HttpOptions::default() };
    let response = HttpTransport::new(&base, own).unwrap().send(request("/")).await.unwrap();
    assert_eq!((response.status, response.body.as_slice()), (200, b"ok".as_slice()));
    assert!(served.join().unwrap());
}

#[tokio::test]
async fn tls_does_not_take_a_stranger_for_the_server() {
    let (base, served) = serve_tls();
    let web = HttpTransport::new(&base, HttpOptions::default()).unwrap();
    let refused = web.send(request("/")).await;
    assert!(matches!(refused, Err(TransportError::Unreachable(_))), "{refused:?}");
    assert!(!served.join().unwrap(), "the request, with its token, was not sent");
}

#[test]
fn without_encryption_only_servers_nearby_are_taken() {
    let new = |base: &str| HttpTransport::new(base, HttpOptions::default()).map(drop);
    for near in [
        "http://127.0.0.1:8080",
        "http://localhost:8080/",
        "http://[::1]:80",
        "http://192.168.0.7:8080",
        "http://10.0.2.2:8080",
        "https://moa.example",
        "https://moa.example/api",
    ] {
        assert_eq!(new(near), Ok(()), "{near}");
    }
    for far in ["http://moa.example", "http://8.8.8.8", "http://localhost.example"] {
        assert_eq!(new(far), Err(BadServer::NotEncrypted(far.into())));
    }
    for not in ["", "moa", "/v1", "ftp://moa.example", "moa.example:80", "http://"] {
        assert!(matches!(new(not), Err(BadServer::NotAnAddress(_))), "{not:?}");
    }
    let told = HttpOptions { allow_unencrypted: true, ..HttpOptions::default() };
    assert!(HttpTransport::new("http://moa.example", told).is_ok());
}
