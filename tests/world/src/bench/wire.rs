//! Bytes that an accrual costs on the wire, counted between the phones and the server.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::Figure;
use super::server::terms;
use crate::Failure;
use crate::program::Program;
use crate::town::Town;

/// One accrual at a time with both phones online, and a hundred brought home at once.
pub async fn measure(data: &Path) -> Result<Vec<Figure>, Failure> {
    let server = Program::start(data)?;
    let (url, counted) = count(server.url()).await?;
    let town = Town::at(&url)?;
    let shop = town.newcomer("010-3000-0001").await?;
    let buyer = town.newcomer("010-3000-0002").await?;
    shop.open_shop("Wire").await?;
    shop.found_group("Wire", moa_rules::terms::Scope::Building, terms()?).await?;
    buyer.sync().await?;

    let mut figures = Vec::new();
    for (what, rounds, each) in
        [("one at a time, both phones synced after each", 50, 1), ("a hundred at a time", 2, 100)]
    {
        let before = counted.load(Ordering::Relaxed);
        for _ in 0..rounds {
            for _ in 0..each {
                buyer.claim_best(&shop.sell(10_000)?.text)?;
            }
            buyer.sync().await?;
            shop.sync().await?;
        }
        let bytes = counted.load(Ordering::Relaxed) - before;
        figures.push(Figure::new(what, super::server::ratio(bytes, rounds * each), "B"));
    }
    Ok(figures)
}

/// Stands between phones and the server at `url`, counting every byte that passes. Gives its own address.
async fn count(url: &str) -> Result<(String, Arc<AtomicU64>), Failure> {
    let server = url.strip_prefix("http://").ok_or("not a plain address")?.to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let here = format!("http://{}", listener.local_addr()?);
    let counted = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&counted);
    tokio::spawn(async move {
        while let Ok((phone, _)) = listener.accept().await {
            let Ok(server) = TcpStream::connect(&server).await else { return };
            let (from_phone, to_phone) = phone.into_split();
            let (from_server, to_server) = server.into_split();
            tokio::spawn(pass(from_phone, to_server, Arc::clone(&count)));
            tokio::spawn(pass(from_server, to_phone, Arc::clone(&count)));
        }
    });
    Ok((here, counted))
}

/// Passes bytes on until one side closes.
async fn pass(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, counted: Arc<AtomicU64>) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        counted.fetch_add(read as u64, Ordering::Relaxed);
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
