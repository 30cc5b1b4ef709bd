//! The floor of `ebb up`: a program that makes a certificate, listens with TLS and answers 200.

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    sync::Arc,
    time::Duration,
};

use anyhow::{Result, bail, ensure};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, Stream};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject};
use tempfile::TempDir;

use crate::{pace, process::OwnProcess};

/// The argument that makes this program the listener; address and certificate file follow.
pub(crate) const TLS_LISTENER: &str = "tls-listener";
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
/// Between two attempts.
const RETRY: Duration = Duration::from_micros(500);
const START_MAX: Duration = Duration::from_secs(30);
const IO_MAX: Duration = Duration::from_secs(10);

/// The listener as a process; ends when dropped.
pub(crate) struct TlsListener {
    _process: OwnProcess,
    dir: TempDir,
}

impl TlsListener {
    pub(crate) fn spawn(address: SocketAddr) -> Result<Self> {
        let dir = tempfile::tempdir()?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(TLS_LISTENER).arg(address.to_string()).arg(dir.path().join("certificate"));
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?;
        Ok(Self { _process: OwnProcess(child), dir })
    }

    pub(crate) fn certificate(&self) -> PathBuf {
        self.dir.path().join("certificate")
    }
}

/// The listener's `main`.
pub(crate) fn tls_listener() -> ExitCode {
    let mut arguments = std::env::args().skip(2);
    let (Some(address), Some(certificate)) = (arguments.next(), arguments.next()) else {
        return ExitCode::FAILURE;
    };
    match listen(&address, Path::new(&certificate)) {
        Ok(never) => match never {},
        Err(error) => {
            eprintln!("{TLS_LISTENER}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn listen(address: &str, path: &Path) -> Result<std::convert::Infallible> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])?;
    let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).map_err(anyhow::Error::msg)?;
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let config = Arc::new(config.with_no_client_auth().with_single_cert(vec![own.cert.der().clone()], key)?);
    // Whole or not at all, since somebody waits for it.
    let draft = path.with_extension("draft");
    fs::write(&draft, own.cert.pem())?;
    fs::rename(draft, path)?;
    let listener = TcpListener::bind(address)?;
    loop {
        let (stream, _) = listener.accept()?;
        if let Err(error) = answer(stream, &config) {
            eprintln!("{TLS_LISTENER}: a connection failed: {error:#}");
        }
    }
}

fn answer(mut stream: TcpStream, config: &Arc<ServerConfig>) -> Result<()> {
    let mut connection = ServerConnection::new(Arc::clone(config))?;
    let mut tls = Stream::new(&mut connection, &mut stream);
    let mut request = [0; 1024];
    if tls.read(&mut request)? > 0 {
        tls.write_all(ANSWER)?;
    }
    Ok(())
}

/// Asks for `path` over TLS until the answer is 200. `certificate` is asked until it knows who is to be trusted.
pub(crate) fn first_ok(
    address: SocketAddr,
    path: &str,
    certificate: impl Fn() -> Result<Option<CertificateDer<'static>>>,
) -> Result<()> {
    let config = pace::until("a certificate", RETRY, START_MAX, || Ok(certificate()?.map(trusting)))??;
    // Whatever goes wrong before there is an answer is what happens while a program starts.
    pace::until(path, RETRY, START_MAX, || match ask(address, path, &config) {
        Err(_) => Ok(None),
        Ok(answer) => match answer.get(..12) {
            Some(b"HTTP/1.1 200") => Ok(Some(())),
            Some(b"HTTP/1.1 500" | b"HTTP/1.1 503") => Ok(None),
            _ => bail!("{path} was answered {:?}", String::from_utf8_lossy(&answer)),
        },
    })
}

/// The beginning of the answer to one request.
fn ask(address: SocketAddr, path: &str, config: &Arc<ClientConfig>) -> Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address)?;
    // While nobody listens, the kernel may choose this very port for our own end, and connect it to itself.
    ensure!(stream.local_addr()? != address, "connected to itself");
    stream.set_read_timeout(Some(IO_MAX))?;
    let mut connection = ClientConnection::new(Arc::clone(config), ServerName::from(address.ip()))?;
    let mut tls = Stream::new(&mut connection, &mut stream);
    write!(tls, "GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n")?;
    let mut answer = vec![0; 1024];
    let read = tls.read(&mut answer)?;
    answer.truncate(read);
    Ok(answer)
}

fn trusting(certificate: CertificateDer<'static>) -> Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate)?;
    Ok(Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()))
}

/// The certificate in a PEM text.
pub(crate) fn from_pem(pem: &[u8]) -> Result<CertificateDer<'static>> {
    CertificateDer::from_pem_slice(pem).map_err(|error| anyhow::anyhow!("no certificate: {error}"))
}
