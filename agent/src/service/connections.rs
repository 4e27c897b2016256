//! Accepts connections and speaks HTTP/1.1 on them, within limits.
use std::{io, sync::Arc, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{net::TcpListener, sync::Semaphore};

use super::{Agent, answer};

/// Most connections at once; browsers open six to a host.
const CONNECTIONS: usize = 64;
/// Longest head of a request, and most headers in it.
const HEAD_LIMIT_BYTES: usize = 16 * 1024;
const HEADERS: usize = 64;
/// After a failure to accept (no file descriptors): they come back when others close.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves for ever.
pub(super) async fn serve(listener: TcpListener, agent: Arc<Agent>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let head = agent.limits.head;
    let router: Router = Router::new().fallback(answer::answer).with_state(agent);
    loop {
        // The semaphore is never closed.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        let Ok(stream) = accept(&listener).await else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let service = TowerToHyperService::new(router.clone());
        tokio::spawn(async move {
            let served = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(head)
                .max_headers(HEADERS)
                .max_buf_size(HEAD_LIMIT_BYTES)
                .serve_connection(TokioIo::new(stream), service)
                .await;
            // A connection that broke is its client's affair; each answer that mattered is in the log.
            drop(served);
            drop(place);
        });
    }
}

async fn accept(listener: &TcpListener) -> io::Result<tokio::net::TcpStream> {
    let (stream, peer) = listener.accept().await?;
    // The address is 127.0.0.1, so nothing else can arrive; should it ever be another, this still holds.
    if !peer.ip().is_loopback() {
        return Err(io::Error::from(io::ErrorKind::PermissionDenied));
    }
    stream.set_nodelay(true)?;
    Ok(stream)
}
