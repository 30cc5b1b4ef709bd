//! The API alone, to try clients on: `cargo run -p apiserver --example standalone -- DIR 127.0.0.1:6443`.

use std::path::Path;

use apiserver::{ApiServer, Options};
use tokio::{net::TcpListener, signal};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let dir = arguments.next().ok_or("which directory keeps the state?")?;
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:6443".into());
    let server = ApiServer::open(Options::new(&dir)).await?;
    let listener = TcpListener::bind(&address).await?;
    let url = format!("https://{}", listener.local_addr()?);
    server.write_kubeconfig(&Path::new(&dir).join("kubeconfig"), &url)?;
    server.serve(listener, async { _ = signal::ctrl_c().await }).await;
    server.close().await?;
    Ok(())
}
