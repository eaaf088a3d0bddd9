//! One connection, over TCP or TLS: messages in, answers out, with a time for everything (RFC 3261 §18.3).

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_rustls::server::TlsStream;

use crate::service::sip::endpoint::{Source, Transport};
use crate::service::sip::listener::{Listener, Phase, over};
use crate::service::sip::stream::{Next, Stream};

/// Answers that wait to be written; a peer that lets more pile up does not read.
const OUTBOX: usize = 256;
/// Empty lines back to whoever sends two of them (RFC 5626 §4.4.1).
const PONG: &[u8] = b"\r\n";

/// Accepts connections until the end begins.
pub(super) async fn accept(listener: Arc<Listener>, socket: TcpListener, mut watching: watch::Receiver<Phase>) {
    loop {
        let ending = watching.clone();
        let accepted = tokio::select! {
            accepted = socket.accept() => accepted,
            _ = watching.wait_for(|phase| *phase != Phase::Serving) => return,
        };
        match accepted {
            Ok((stream, address)) => admit(&listener, stream, address, ending),
            // Too many open files, perhaps: they become fewer.
            Err(_) => sleep(Duration::from_millis(50)).await,
        }
    }
}

fn admit(listener: &Arc<Listener>, stream: TcpStream, address: SocketAddr, watching: watch::Receiver<Phase>) {
    let (outbox, answers) = mpsc::channel(OUTBOX);
    let mut connections = listener.connections.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(number) = connections.add(address.ip(), outbox, &listener.limits) else {
        listener.refused.fetch_add(1, Ordering::Relaxed);
        return;
    };
    drop(connections);
    // Small answers are not held back for bigger packets.
    let _ = stream.set_nodelay(true);
    let listener = Arc::clone(listener);
    if listener.endpoint.transport == Transport::Tls {
        tokio::spawn(run_secured(listener, Source::tls(address, number), stream, answers, watching));
    } else {
        let halves = stream.into_split();
        tokio::spawn(run(listener, Source::tcp(address, number), halves, answers, watching));
    }
}

/// The same after a handshake.
async fn run_secured(
    listener: Arc<Listener>,
    source: Source,
    stream: TcpStream,
    answers: mpsc::Receiver<Vec<u8>>,
    mut watching: watch::Receiver<Phase>,
) {
    let secured = tokio::select! {
        secured = secure(&listener, stream) => secured,
        () = over(&mut watching) => None,
    };
    match secured {
        Some(stream) => run(listener, source, tokio::io::split(stream), answers, watching).await,
        None => listener.close(source, false),
    }
}

/// The handshake, which has the time of a message.
async fn secure(listener: &Listener, stream: TcpStream) -> Option<TlsStream<TcpStream>> {
    let acceptor = listener.answering.tls()?.sip();
    match timeout(listener.limits.message, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => Some(stream),
        Ok(Err(reason)) => {
            tracing::debug!(endpoint = %listener.endpoint, %reason, "no TLS");
            None
        }
        Err(_) => None,
    }
}

/// Reads and writes until one of them ends.
async fn run<R, W>(
    listener: Arc<Listener>,
    source: Source,
    (reading, writing): (R, W),
    answers: mpsc::Receiver<Vec<u8>>,
    mut watching: watch::Receiver<Phase>,
) where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin + Send + 'static,
{
    let mut writer = tokio::spawn(write(writing, answers, listener.limits.message));
    let (is_whole, still_writes) = tokio::select! {
        is_whole = read(&listener, source, reading) => (is_whole, true),
        () = over(&mut watching) => (true, true),
        _ = &mut writer => (false, false),
    };
    // The outbox closes with this; what is in it is still written.
    listener.close(source, is_whole);
    if still_writes {
        let _ = writer.await;
    }
}

/// Reads until the stream ends; the answer is whether it ended well.
async fn read(listener: &Arc<Listener>, source: Source, mut reading: impl AsyncRead + Unpin) -> bool {
    let limits = &listener.limits;
    let mut stream = Stream::new(limits.message_bytes);
    // One connection has only so many calls judged at a time; until then it is not read.
    let turns = Arc::new(Semaphore::new((limits.pending / 20).max(16)));
    let mut buffer = vec![0; 16 << 10];
    let mut until = Instant::now() + limits.idle;
    loop {
        let Ok(Ok(length)) = timeout_at(until, reading.read(&mut buffer)).await else { return !stream.is_waiting() };
        if length == 0 {
            return !stream.is_waiting();
        }
        let mut is_new = !stream.is_waiting();
        stream.push(buffer.get(..length).unwrap_or_default());
        loop {
            match stream.next() {
                Next::More => break,
                Next::Ping => listener.send_to(source, PONG.to_vec()),
                Next::Message(bytes) => {
                    is_new = true;
                    let turn = Arc::clone(&turns).acquire_owned().await.ok();
                    listener.process(&bytes, source, turn).await;
                }
                Next::Broken(_, bytes) => {
                    listener.process_unframed(&bytes, source).await;
                    return false;
                }
            }
        }
        // A message that has begun has its time from its first byte on: drop by drop is not fast enough.
        if !stream.is_waiting() {
            until = Instant::now() + limits.idle;
        } else if is_new {
            until = Instant::now() + limits.message;
        }
    }
}

async fn write(mut writing: impl AsyncWrite + Unpin, mut answers: mpsc::Receiver<Vec<u8>>, longest: Duration) {
    while let Some(bytes) = answers.recv().await {
        let written = async {
            writing.write_all(&bytes).await?;
            // TLS keeps what the socket has no room for, until the next answer or this.
            writing.flush().await
        };
        if !matches!(timeout(longest, written).await, Ok(Ok(()))) {
            return;
        }
    }
    // TLS says that it ends, and whoever reads nothing leaves no room for it; the connection is counted no more by now.
    let _ = timeout(longest, writing.shutdown()).await;
}

impl Listener {
    /// Forgets a connection, and counts it where it did not end well.
    fn close(&self, source: Source, is_whole: bool) {
        if !is_whole {
            self.broken.fetch_add(1, Ordering::Relaxed);
        }
        self.connections.lock().unwrap_or_else(PoisonError::into_inner).open.remove(&source.connection);
    }

    /// Bytes for a connection that are no answer to a request.
    fn send_to(&self, source: Source, bytes: Vec<u8>) {
        let connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, outbox)) = connections.open.get(&source.connection) {
            let _ = outbox.try_send(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use tokio::io::BufWriter;

    use super::*;

    const WAIT: Duration = Duration::from_secs(5);

    #[tokio::test]
    async fn an_answer_goes_out_whole_whether_another_follows_or_not() {
        // TLS takes what the socket has no room for, and sends it on when it is flushed, as this buffer does.
        let (own, mut other) = tokio::io::duplex(64);
        let (sender, answers) = mpsc::channel(1);
        tokio::spawn(write(BufWriter::new(own), answers, WAIT));
        sender.send(b"SIP/2.0 302".to_vec()).await.unwrap();
        let mut came = [0; 11];
        timeout(WAIT, other.read_exact(&mut came)).await.unwrap().unwrap();
        assert_eq!(&came, b"SIP/2.0 302");
    }

    /// A peer that reads nothing any more: there is no room for how TLS ends.
    struct Full;

    impl AsyncWrite for Full {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }
    }

    #[tokio::test]
    async fn who_reads_nothing_any_more_holds_no_socket() {
        let (sender, answers) = mpsc::channel(1);
        drop(sender);
        timeout(WAIT, write(Full, answers, Duration::from_millis(50))).await.unwrap();
    }
}
