//! A proxy in front of the simulator that closes connections on which nothing is asked for a while, as load balancers do.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

/// How long a connection may be idle: less than a reader of 1 MB/s takes for the pages that are on their way.
const PATIENCE: Duration = Duration::from_millis(50);

pub struct Proxy {
    address: SocketAddr,
    closed: Arc<AtomicU64>,
}

impl Proxy {
    /// Listens for as long as the process lives.
    pub fn start(base_url: &str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let address = listener.local_addr().expect("a bound socket has an address");
        let to = base_url.trim_start_matches("http://").to_owned();
        let closed = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&closed);
        std::thread::spawn(move || {
            for from in listener.incoming().flatten() {
                let (to, closed) =
                    (TcpStream::connect(&to).expect("the simulator listens"), Arc::clone(&counted));
                std::thread::spawn(move || forward(from, to, &closed));
            }
        });
        Self { address, closed }
    }

    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many connections were closed, because they were idle.
    pub fn closed(&self) -> u64 {
        self.closed.load(SeqCst)
    }
}

/// Forwards requests and answers until one side has gone, or no request comes for too long after an answer.
fn forward(mut client: TcpStream, mut server: TcpStream, closed: &AtomicU64) {
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let answers = (server.try_clone(), client.try_clone());
    let (Ok(mut from), Ok(mut to)) = answers else { return };
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Both);
    });
    let _ = client.set_read_timeout(Some(PATIENCE));
    let mut bytes = [0; 16 * 1024];
    loop {
        match client.read(&mut bytes) {
            Ok(read) if read > 0 && server.write_all(&bytes[..read]).is_ok() => {}
            Err(error) if matches!(error.kind(), std::io::ErrorKind::WouldBlock) => {
                closed.fetch_add(1, SeqCst);
                break;
            }
            _ => break,
        }
    }
    // The server finishes what it has begun, and then closes; that goes on to the client.
    let _ = server.shutdown(Shutdown::Write);
}
