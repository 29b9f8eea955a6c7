//! A way to a server on which the ends of transactions go wrong, each as it was asked for.
//!
//! It reads the messages that pass (PostgreSQL's protocol, version 3) as far as to know the end of a transaction when it comes
//! by; everything else goes through as it is.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

/// What becomes of one `COMMIT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing: it is done and said so.
    None,
    /// It does not arrive, and the connection is cut.
    CutBefore,
    /// It is done, and the connection is cut before the client hears so.
    CutAfter,
    /// It is undone, and the client is told this code: `40001`, `40P01`.
    Refused(&'static str),
}

/// The way.
pub struct Proxy {
    port: u16,
    state: Arc<State>,
}

struct State {
    server: u16,
    faults: Mutex<VecDeque<Fault>>,
    met: AtomicUsize,
}

impl Proxy {
    /// Lays a way to a server on a port of this machine.
    ///
    /// # Errors
    /// If there is no port to listen on.
    pub fn start(server: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let state = Arc::new(State { server, faults: Mutex::default(), met: AtomicUsize::new(0) });
        let accepting = state.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // A server that is gone refuses: then the client's connection ends here.
                drop(through(client, &accepting));
            }
        });
        Ok(Self { port, state })
    }

    /// Where it begins.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What becomes of the next transactions, in this order; those after them end well.
    pub fn meet(&self, faults: impl IntoIterator<Item = Fault>) {
        lock(&self.state.faults).extend(faults);
    }

    /// Transactions that were met by a fault so far.
    pub fn met(&self) -> usize {
        self.state.met.load(Ordering::SeqCst)
    }
}

/// One connection: what its client is to be told at the end under way.
struct Way {
    client: TcpStream,
    server: TcpStream,
    fault: Mutex<Fault>,
}

impl Way {
    fn cut(&self) {
        // Either may be closed already.
        drop(self.client.shutdown(Shutdown::Both));
        drop(self.server.shutdown(Shutdown::Both));
    }
}

fn through(client: TcpStream, state: &Arc<State>) -> io::Result<()> {
    let server = TcpStream::connect((Ipv4Addr::LOCALHOST, state.server))?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let way = Arc::new(Way { client, server, fault: Mutex::new(Fault::None) });
    let (there, back, state) = (way.clone(), way, state.clone());
    thread::spawn(move || {
        // A connection that ends, ends here.
        drop(to_server(&there, &state));
        there.cut();
    });
    thread::spawn(move || {
        drop(to_client(&back));
        back.cut();
    });
    Ok(())
}

fn to_server(way: &Way, state: &State) -> io::Result<()> {
    let (mut client, mut server) = (&way.client, &way.server);
    server.write_all(&body(client)?)?;
    loop {
        let (kind, body) = message(&mut client)?;
        if (kind, &body[4..]) != (b'Q', b"COMMIT\0") {
            server.write_all(&[&[kind], body.as_slice()].concat())?;
            continue;
        }
        let fault = lock(&state.faults).pop_front().unwrap_or(Fault::None);
        *lock(&way.fault) = fault;
        match fault {
            Fault::None => {}
            Fault::CutBefore => {
                state.met.fetch_add(1, Ordering::SeqCst);
                return Ok(());
            }
            Fault::CutAfter | Fault::Refused(_) => {
                state.met.fetch_add(1, Ordering::SeqCst);
            }
        }
        let end: &[u8] = if matches!(fault, Fault::Refused(_)) { b"ROLLBACK\0" } else { b"COMMIT\0" };
        server.write_all(&framed(b'Q', end))?;
    }
}

fn to_client(way: &Way) -> io::Result<()> {
    let (mut client, mut server) = (&way.client, &way.server);
    loop {
        let (kind, body) = message(&mut server)?;
        let fault = *lock(&way.fault);
        match (fault, kind, &body[4..]) {
            (Fault::CutAfter, b'C', b"COMMIT\0") => return Ok(()),
            (Fault::Refused(code), b'C', b"ROLLBACK\0") => {
                *lock(&way.fault) = Fault::None;
                let said = format!("SERROR\0VERROR\0C{code}\0Mrefused on the way\0\0");
                client.write_all(&framed(b'E', said.as_bytes()))?;
            }
            _ => client.write_all(&[&[kind], body.as_slice()].concat())?,
        }
    }
}

fn framed(kind: u8, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len() + 4).unwrap_or(u32::MAX);
    [&[kind], length.to_be_bytes().as_slice(), content].concat()
}

/// A message: what it is, and its length and content as they came.
fn message(from: &mut impl Read) -> io::Result<(u8, Vec<u8>)> {
    let mut kind = [0];
    from.read_exact(&mut kind)?;
    Ok((kind[0], body(from)?))
}

fn body(mut from: impl Read) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let rest = (u32::from_be_bytes(length) as usize).checked_sub(4);
    let rest = rest.ok_or_else(|| io::Error::other("a message shorter than its length"))?;
    let mut body = length.to_vec();
    body.resize(4 + rest, 0);
    from.read_exact(&mut body[4..])?;
    Ok(body)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
