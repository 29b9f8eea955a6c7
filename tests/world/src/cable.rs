//! A cable between phones and a server: a TCP proxy of this machine that can be cut, that stalls, delays, halves and
//! loses answers, or leads to a hotspot's portal instead. `world proxy` hands it to tests in any language.
//!
//! It listens on one port for good, for another program may take a port that is let go. It knows as much of HTTP as
//! it takes to find where an answer's body begins and how long it is.

use std::io::{BufRead, Write};
use std::net::Ipv4Addr;
use std::str::FromStr;
use std::time::Duration;

use tokio::io::{
    AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, copy, sink,
};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::Failure;

/// The most bytes of a message's head.
const MOST_HEAD: usize = 64 * 1024;
/// The most bytes of a body that is held to be altered or thrown away.
const MOST_BODY: usize = 16 * 1024 * 1024;
/// Bytes carried at once.
const PIECE: usize = 16 * 1024;
/// Pieces on their way at most while there is a delay.
const PIECES: usize = 64;
/// What a hotspot shows until someone has signed in to it.
const PAGE: &str = "<!doctype html><title>Free Wi-Fi</title><h1>Welcome</h1><p>Sign in to go on.";
/// Where a hotspot sends people to sign in. Nobody has this name.
const LOGIN: &str = "http://login.invalid/";

/// What is the matter with a cable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    Pass,
    /// Nobody gets through, as without a signal.
    Drop,
    /// Connections come about, and nobody answers.
    Stall,
    /// Everything takes this much longer, each way.
    Delay(Duration),
    /// Each answer is cut in the middle of its body.
    Half,
    /// What phones ask arrives; not a byte of what the server answers does.
    Lose,
    /// A hotspot answers everything with its own page and status 200.
    Portal,
    /// A hotspot sends everyone to its login page.
    PortalRedirect,
    /// Someone in between alters the server's signatures over inboxes.
    AlterHeads,
}

/// A line that is no [`Fault`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown command")]
pub struct UnknownCommand;

impl FromStr for Fault {
    type Err = UnknownCommand;

    /// `pass`, `drop`, `stall`, `delay MS`, `half`, `lose`, `portal`, `portal-redirect`, `alter-heads`.
    fn from_str(command: &str) -> Result<Self, UnknownCommand> {
        Ok(match command {
            "pass" => Self::Pass,
            "drop" => Self::Drop,
            "stall" => Self::Stall,
            "half" => Self::Half,
            "lose" => Self::Lose,
            "portal" => Self::Portal,
            "portal-redirect" => Self::PortalRedirect,
            "alter-heads" => Self::AlterHeads,
            _ => {
                let millis = command.strip_prefix("delay ").and_then(|millis| millis.parse::<u32>().ok());
                Self::Delay(Duration::from_millis(millis.ok_or(UnknownCommand)?.into()))
            }
        })
    }
}

type Turn = (Fault, oneshot::Sender<()>);

/// A cable. Gone when dropped, and whoever was through is cut off.
pub struct Cable {
    url: String,
    turns: mpsc::Sender<Turn>,
}

impl Cable {
    /// Lays a cable to the server at `http://host:port`, on a free port of this machine. Nothing is the matter with it.
    ///
    /// # Errors
    /// If that is no such address, or no port is free.
    pub async fn lay(server: &str) -> Result<Self, Failure> {
        let far = server.strip_prefix("http://").map(|far| far.trim_end_matches('/'));
        let far = far.filter(|far| far.contains(':') && !far.contains('/'));
        let far = far.ok_or_else(|| format!("{server} is not http://host:port"))?.to_owned();
        let near = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}", near.local_addr()?);
        let (turns, turned) = mpsc::channel(1);
        tokio::spawn(run(near, far, turned));
        Ok(Self { url, turns })
    }

    /// Where phones find the server.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Turns to a fault. When this returns, whoever was through before is cut off and nothing more of theirs arrives.
    pub async fn turn(&self, fault: Fault) {
        let (done, is_done) = oneshot::channel();
        // The cable runs as long as this lives; without it there is nothing to turn.
        let _ = self.turns.send((fault, done)).await;
        let _ = is_done.await;
    }
}

/// Lays a cable and turns it as told, line by line, until the lines end. Says where it is, then each line again once it is in
/// force.
///
/// # Errors
/// As [`Cable::lay`]; or if nobody listens to what is said.
pub async fn obey(server: &str, lines: impl BufRead + Send + 'static) -> Result<(), Failure> {
    let cable = Cable::lay(server).await?;
    let say = |line: &str| -> Result<(), Failure> {
        let mut out = std::io::stdout().lock();
        writeln!(out, "{line}")?;
        Ok(out.flush()?)
    };
    let (told, mut commands) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in lines.lines().map_while(Result::ok) {
            if told.blocking_send(line).is_err() {
                return;
            }
        }
    });
    say(&format!("listening on {}", cable.url()))?;
    while let Some(command) = commands.recv().await {
        match command.trim().parse() {
            Ok(fault) => {
                cable.turn(fault).await;
                say(command.trim())?;
            }
            Err(unknown) => say(&format!("{unknown}: {command}"))?,
        }
    }
    Ok(())
}

async fn run(near: TcpListener, far: String, mut turned: mpsc::Receiver<Turn>) {
    let mut fault = Fault::Pass;
    let mut through = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            turn = turned.recv() => {
                let Some((to, done)) = turn else { return };
                fault = to;
                through.shutdown().await;
                // Whoever turned it may have gone.
                let _ = done.send(());
            }
            Some(_) = through.join_next() => {}
            Ok((phone, _)) = near.accept() => {
                through.spawn(join(phone, far.clone(), fault));
            }
        }
    }
}

/// Carries one connection. However it ends, both of its ends are closed.
async fn join(mut phone: TcpStream, far: String, fault: Fault) -> std::io::Result<()> {
    match fault {
        Fault::Drop => return Ok(()),
        Fault::Stall => return copy(&mut phone, &mut sink()).await.map(drop),
        Fault::Portal | Fault::PortalRedirect => return portal(&mut phone, fault).await,
        _ => {}
    }
    let mut server = TcpStream::connect(far).await?;
    phone.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (mut asked, mut to_phone) = phone.split();
    let (answered, mut to_server) = server.split();
    let late = if let Fault::Delay(by) = fault { by } else { Duration::ZERO };
    let there = carry(&mut asked, &mut to_server, late);
    let back = async {
        let mut answers = BufReader::with_capacity(PIECE, answered);
        match fault {
            Fault::Lose => answers.fill_buf().await.and_then(|_| cut()),
            Fault::Half => {
                let Some((head, length)) = message(&mut answers).await? else { return cut() };
                to_phone.write_all(&head).await?;
                let half = (&mut answers).take(length as u64 / 2);
                copy(&mut { half }, &mut to_phone).await.and_then(|_| cut())
            }
            Fault::AlterHeads => alter_heads(&mut answers, &mut to_phone).await,
            _ => carry(&mut answers, &mut to_phone, late).await,
        }
    };
    tokio::try_join!(there, back).map(drop)
}

/// Ends a connection both ways.
fn cut() -> std::io::Result<()> {
    Err(std::io::ErrorKind::ConnectionAborted.into())
}

/// Carries bytes one way until they end, each piece `late` after it came.
async fn carry(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    late: Duration,
) -> std::io::Result<()> {
    let (sender, mut pieces) = mpsc::channel::<(Instant, Vec<u8>)>(PIECES);
    let take = async move {
        loop {
            let mut piece = vec![0; PIECE];
            let count = from.read(&mut piece).await?;
            piece.truncate(count);
            if count == 0 || sender.send((Instant::now() + late, piece)).await.is_err() {
                return Ok(());
            }
        }
    };
    let give = async move {
        while let Some((due, piece)) = pieces.recv().await {
            if !late.is_zero() {
                sleep_until(due).await;
            }
            to.write_all(&piece).await?;
        }
        to.shutdown().await
    };
    tokio::try_join!(take, give).map(drop)
}

/// The head of the next message, to its empty line, and how many bytes its body has. None if no more come.
async fn message(from: &mut (impl AsyncBufRead + Unpin)) -> std::io::Result<Option<(Vec<u8>, usize)>> {
    let invalid = |what: &str| std::io::Error::new(std::io::ErrorKind::InvalidData, what);
    let (mut head, mut length) = (Vec::new(), 0);
    loop {
        let before = head.len();
        let room = (MOST_HEAD - before) as u64;
        (&mut *from).take(room).read_until(b'\n', &mut head).await?;
        let line = String::from_utf8_lossy(&head[before..]).to_ascii_lowercase();
        match line.trim_end() {
            _ if !line.ends_with('\n') => {
                return if head.is_empty() { Ok(None) } else { Err(invalid("no head")) };
            }
            "" => return Ok(Some((head, length))),
            line if line.starts_with("transfer-encoding:") => return Err(invalid("a body in chunks")),
            line => {
                if let Some(bytes) = line.strip_prefix("content-length:") {
                    length = bytes.trim().parse().map_err(|_| invalid("no length"))?;
                }
            }
        }
        if length > MOST_BODY {
            return Err(invalid("too long"));
        }
    }
}

/// A hotspot's answer to whatever was asked.
async fn portal(phone: &mut TcpStream, fault: Fault) -> std::io::Result<()> {
    let (asked, mut answer) = phone.split();
    let mut asked = BufReader::new(asked);
    let Some((_, length)) = message(&mut asked).await? else { return Ok(()) };
    copy(&mut asked.take(length as u64), &mut sink()).await?;
    let status = match fault {
        Fault::PortalRedirect => format!("302 Found\r\nlocation: {LOGIN}"),
        _ => "200 OK".to_owned(),
    };
    let length = PAGE.len();
    let said = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/html\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{PAGE}"
    );
    answer.write_all(said.as_bytes()).await?;
    answer.shutdown().await
}

/// Passes answers on with another letter near the end of each `"head":"…"`, where its signature is.
async fn alter_heads(
    answers: &mut (impl AsyncBufRead + Unpin),
    phone: &mut (impl AsyncWrite + Unpin),
) -> std::io::Result<()> {
    while let Some((head, length)) = message(answers).await? {
        let mut body = vec![0; length];
        answers.read_exact(&mut body).await?;
        alter(&mut body);
        phone.write_all(&head).await?;
        phone.write_all(&body).await?;
    }
    phone.shutdown().await
}

fn alter(body: &mut [u8]) {
    const HEAD: &[u8] = b"\"head\":\"";
    let mut begin = 0;
    while let Some(found) = body[begin..].windows(HEAD.len()).position(|window| window == HEAD) {
        begin += found + HEAD.len();
        let Some(end) = body[begin..].iter().position(|byte| *byte == b'"') else { return };
        if let Some(letter) = end.checked_sub(8).map(|letter| &mut body[begin + letter]) {
            *letter = if *letter == b'A' { b'B' } else { b'A' };
        }
        begin += end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_head_is_read_to_its_end_and_garbage_is_none() {
        let mut two: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 204 No\r\n\r\n";
        let (head, length) = message(&mut two).await.unwrap().unwrap();
        assert_eq!((head.len(), length), (38, 3));
        two = &two[3..];
        assert_eq!(message(&mut two).await.unwrap().unwrap().1, 0);
        assert_eq!(message(&mut two).await.unwrap(), None);
        let long = vec![b'a'; MOST_HEAD + 1];
        let chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        for mut garbage in [
            &b"HTTP/1.1 200"[..],
            b"content-length: -1\r\n",
            b"content-length: 99999999\r\n\r\n",
            chunks,
            &long,
        ] {
            assert!(message(&mut garbage).await.is_err());
        }
    }

    #[test]
    fn every_head_is_altered_and_nothing_else() {
        let mut body =
            br#"{"head":"abcdefghijkl","hash":"abcdefghijkl","x":{"head":"AAAAAAAAAAAA"},"head":"short"#
                .to_vec();
        alter(&mut body);
        let altered = String::from_utf8(body).unwrap();
        assert_eq!(
            altered,
            r#"{"head":"abcdAfghijkl","hash":"abcdefghijkl","x":{"head":"AAAABAAAAAAA"},"head":"short"#
        );
    }

    #[test]
    fn a_command_is_a_fault_or_unknown() {
        assert_eq!("delay 250".parse(), Ok(Fault::Delay(Duration::from_millis(250))));
        assert_eq!("portal-redirect".parse(), Ok(Fault::PortalRedirect));
        for unknown in ["", "delay", "delay -1", "delay 99999999999", "Pass", "cut"] {
            assert_eq!(unknown.parse::<Fault>(), Err(UnknownCommand), "{unknown}");
        }
    }
}
