//! Which TLS is spoken: 1.2 and 1.3, and nothing older.

use std::sync::Arc;

use rustls::{
    ClientConfig, DigitallySignedStruct, SignatureScheme, SupportedProtocolVersion,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::ring,
    version::{TLS12, TLS13},
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;

use crate::rig::{PATIENCE, Rig};

#[tokio::test]
async fn tls_1_2_and_1_3_are_spoken() {
    let rig = Rig::start().await;
    for version in [&TLS12, &TLS13] {
        let stream = TcpStream::connect(rig.address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let stream = timeout(PATIENCE, connector(version).connect(name, stream)).await.unwrap().unwrap();
        assert_eq!(stream.get_ref().1.protocol_version(), Some(version.version));
    }
}

#[tokio::test]
async fn older_tls_is_refused() {
    const FATAL_ALERT: [u8; 2] = [2, 70];
    let rig = Rig::start().await;
    // SSL 3.0, TLS 1.0 and 1.1, as their number on the wire.
    for minor in 0..=2 {
        let mut stream = TcpStream::connect(rig.address).await.unwrap();
        stream.write_all(&client_hello(minor)).await.unwrap();
        let mut answer = Vec::new();
        timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("the server hangs up").unwrap();
        // An alert of two bytes: fatal, protocol_version.
        assert_eq!(
            (answer.first(), answer.get(5..)),
            (Some(&21), Some(&FATAL_ALERT[..])),
            "3.{minor}: {answer:?}"
        );
    }
}

/// The greeting of a client that knows versions up to 3.`minor` and says nothing of later ones (RFC 4346, 7.4.1.2).
fn client_hello(minor: u8) -> Vec<u8> {
    let mut hello = vec![3, minor];
    // Random, no session, one cipher suite (TLS_RSA_WITH_AES_128_CBC_SHA), no compression.
    hello.extend([7; 32]);
    hello.extend([0, 0, 2, 0, 0x2f, 1, 0]);
    // The signature algorithms that a server of today wants to see of anybody.
    hello.extend([0, 8, 0, 13, 0, 4, 0, 2, 4, 3]);
    let length = |bytes: &[u8]| u8::try_from(bytes.len()).unwrap();
    let handshake = [&[1, 0, 0, length(&hello)], &hello[..]].concat();
    [&[22, 3, minor, 0, length(&handshake)], &handshake[..]].concat()
}

fn connector(version: &'static SupportedProtocolVersion) -> TlsConnector {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody))
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

/// Who the server is does not matter here.
#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
