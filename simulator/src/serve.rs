//! The socket side: one task a connection, requests answered in turn, and the faults that need the
//! wire itself (a reset, silence, half a body, a body without end).

use std::io;
use std::pin::Pin;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::faults::{Fault, Plan};
use crate::http::{Answer, Head, gzip, parameters};
use crate::issuer::endpoint;
use crate::log::{Log, Request, lock};
use crate::page::Twist;
use crate::routes::Service;
use crate::target::at;

/// How late a timer of the runtime can be. What is left of a latency then, a thread sleeps, which is on time.
const LATE: Duration = Duration::from_millis(3);

/// What the simulator's handle and its connections share.
pub struct Shared {
    pub service: Service,
    pub log: Log,
    pub plan: Mutex<Plan>,
    /// True while all answers are held back.
    pub held: watch::Sender<bool>,
}

/// A connection, and the TCP socket at the bottom of it.
pub trait Wire: AsyncRead + AsyncWrite + Unpin + Send {
    fn tcp(&self) -> &TcpStream;
}

impl Wire for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl Wire for TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}

/// Accepts connections until the task is dropped; `provider`: to the identity provider.
pub async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Shared>, provider: bool) {
    loop {
        let Ok((socket, _)) = listener.accept().await else {
            // Out of file descriptors, most likely: some will be free again.
            sleep(Duration::from_millis(10)).await;
            continue;
        };
        // Answers are written in one piece; waiting for more would only delay them.
        let _ = socket.set_nodelay(true);
        let (tls, shared) = (tls.clone(), Arc::clone(&shared));
        tokio::spawn(async move {
            match tls {
                None => Connection::new(socket, shared, provider).run().await,
                Some(tls) => {
                    if let Ok(socket) = tls.accept(socket).await {
                        Connection::new(socket, shared, provider).run().await;
                    }
                }
            }
        });
    }
}

struct Connection<W> {
    wire: W,
    unread: Vec<u8>,
    shared: Arc<Shared>,
    provider: bool,
}

/// Why a connection ends: nothing more to be done on it.
struct Over;

impl From<io::Error> for Over {
    fn from(_: io::Error) -> Self {
        Self
    }
}

impl<W: Wire> Connection<W> {
    fn new(wire: W, shared: Arc<Shared>, provider: bool) -> Self {
        Self { wire, unread: Vec::new(), shared, provider }
    }

    async fn run(mut self) {
        while let Some(head) = self.head().await {
            let number = self.arrived(&head);
            let last = head.last;
            let outcome = self.respond(&head, number).await;
            self.shared.log.ended(number, None);
            if outcome.is_err() {
                // No farewell: a reset must be the first thing the client sees.
                return;
            }
            if last {
                break;
            }
        }
        let _ = self.wire.shutdown().await;
    }

    async fn head(&mut self) -> Option<Head> {
        loop {
            if let Some(end) = self.unread.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                let bytes: Vec<u8> = self.unread.drain(..end + 4).collect();
                let mut head = Head::read(std::str::from_utf8(&bytes).ok()?)?;
                head.at_provider = self.provider;
                let length = head.header("content-length").and_then(|length| length.parse().ok());
                let length: usize = length.unwrap_or_default();
                while self.unread.len() < length.min(64 * 1024) {
                    if !self.more().await {
                        return None;
                    }
                }
                let body: Vec<u8> = self.unread.drain(..length.min(self.unread.len())).collect();
                head.form = parameters(std::str::from_utf8(&body).ok()?);
                return Some(head);
            }
            if self.unread.len() > 64 * 1024 || !self.more().await {
                return None;
            }
        }
    }

    /// Reads some bytes; false once the client has gone.
    async fn more(&mut self) -> bool {
        matches!(self.wire.read_buf(&mut self.unread).await, Ok(read) if read > 0)
    }

    fn arrived(&self, head: &Head) -> u64 {
        self.shared.log.arrived(Request {
            number: 0,
            method: head.method.clone(),
            path: head.path.clone(),
            query: head.query.clone(),
            form: head.form.clone(),
            endpoint: endpoint(head),
            stream: at(&head.path).map(|target| target.stream.name.to_owned()),
            started: Instant::now(),
            ended: None,
            status: None,
            authorized: self.shared.service.authorized(head),
            has_authorization: head.header("authorization").is_some(),
            user_agent: head.header("user-agent").map(str::to_owned),
            host: head.header("host").map(str::to_owned),
        })
    }

    async fn respond(&mut self, head: &Head, number: u64) -> Result<(), Over> {
        let stream = at(&head.path).map(|target| target.stream.name);
        let fault = lock(&self.shared.plan).meet(endpoint(head).or(stream));
        let mut held = self.shared.held.subscribe();
        let due = Instant::now() + self.shared.service.org.scenario.latency;
        self.unless_gone(async move {
            // The sender lives as long as the connection.
            let _ = held.wait_for(|held| !held).await;
        })
        .await?;
        let Some(fault) = fault else {
            // What it takes to put an answer together is a part of its latency; it counts even if nobody waits for it.
            let answer = self.shared.service.answer(head, Twist::None);
            self.until(due).await?;
            return self.send(&answer, number, head.last).await;
        };
        self.until(due).await?;
        self.shared.service.faults.fetch_add(1, SeqCst);
        if let Some(answer) = Answer::of(&fault) {
            return self.send(&answer, number, head.last).await;
        }
        self.misbehave(&fault, head, number).await
    }

    async fn until(&mut self, due: Instant) -> Result<(), Over> {
        let left = due.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        self.unless_gone(async move {
            sleep(left.saturating_sub(LATE)).await;
            let left = due.saturating_duration_since(Instant::now());
            let _ = spawn_blocking(move || std::thread::sleep(left)).await;
        })
        .await
    }

    async fn misbehave(&mut self, fault: &Fault, head: &Head, number: u64) -> Result<(), Over> {
        if let Some(twist) = Twist::of(fault) {
            let answer = self.shared.service.answer(head, twist);
            return self.send(&answer, number, head.last).await;
        }
        let good = || self.shared.service.answer(head, Twist::None);
        match fault {
            Fault::GzipUnlabelled => {
                let mut answer = good();
                answer.body = gzip(&answer.body);
                self.send(&answer, number, head.last).await
            }
            Fault::Stall => self.unless_gone(std::future::pending()).await,
            Fault::HalfBody => {
                let answer = good();
                self.shared.log.ended(number, Some(answer.status));
                let mut bytes = self.opening(&answer, number, &answer.length(), head.last);
                bytes.extend(&answer.body[..answer.body.len() / 2]);
                self.wire.write_all(&bytes).await?;
                self.wire.flush().await?;
                Err(Over)
            }
            Fault::Drip => {
                let answer = good();
                self.drip(&answer, number, head.last).await
            }
            Fault::Endless => self.endless(number).await,
            // The rest are answers by themselves, sent before this is reached.
            _ => {
                // Closing with nothing left to wait for sends a reset instead of a farewell.
                let _ = self.wire.tcp().set_zero_linger();
                self.shared.log.ended(number, None);
                Err(Over)
            }
        }
    }

    /// Waits, and stops waiting once the client has hung up.
    async fn unless_gone(&mut self, wait: impl Future<Output = ()>) -> Result<(), Over> {
        let mut wait: Pin<Box<_>> = Box::pin(wait);
        loop {
            tokio::select! {
                biased;
                () = &mut wait => return Ok(()),
                here = self.more() => if !here { return Err(Over) },
            }
        }
    }

    /// Everything before the body; good answers tell the rate limit.
    fn opening(&self, answer: &Answer, number: u64, framing: &str, last: bool) -> Vec<u8> {
        let quota = (answer.status == 200).then(|| self.shared.service.quota());
        answer.head(number, quota.as_ref().map_or(&[], |quota| quota.as_slice()), framing, last)
    }

    async fn send(&mut self, answer: &Answer, number: u64, last: bool) -> Result<(), Over> {
        // Before the client can know of it: what it does next must not count as at the same time.
        self.shared.log.ended(number, Some(answer.status));
        let mut bytes = self.opening(answer, number, &answer.length(), last);
        bytes.extend(&answer.body);
        self.wire.write_all(&bytes).await?;
        Ok(self.wire.flush().await?)
    }

    async fn drip(&mut self, answer: &Answer, number: u64, last: bool) -> Result<(), Over> {
        let opening = self.opening(answer, number, &answer.length(), last);
        self.wire.write_all(&opening).await?;
        for byte in &answer.body {
            self.wire.write_all(&[*byte]).await?;
            self.wire.flush().await?;
            self.unless_gone(sleep(Duration::from_secs(1))).await?;
        }
        self.shared.log.ended(number, Some(answer.status));
        Ok(())
    }

    async fn endless(&mut self, number: u64) -> Result<(), Over> {
        let answer = Answer::json(200, String::new());
        let opening = self.opening(&answer, number, "Transfer-Encoding: chunked", false);
        self.wire.write_all(&opening).await?;
        let start = br#"{"metadata":{},"data":[{"id":""#;
        self.wire.write_all(format!("{:x}\r\n", start.len()).as_bytes()).await?;
        self.wire.write_all(start).await?;
        let mut chunk = b"\r\n10000\r\n".to_vec();
        chunk.resize(chunk.len() + 0x10000, b'a');
        loop {
            self.wire.write_all(&chunk).await?;
            tokio::task::yield_now().await;
        }
    }
}
