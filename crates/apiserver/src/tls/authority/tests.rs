use super::*;

fn environment() -> Environment {
    Environment::new(|| Timestamp::UNIX_EPOCH, 1)
}

#[test]
fn half_an_authority_is_no_reason_to_make_a_new_one() {
    for (lost, kept) in [("ca.crt", "ca.key"), ("ca.key", "ca.crt")] {
        let dir = tempfile::tempdir().unwrap();
        Authority::open(dir.path(), &[], &environment()).unwrap();
        let before = std::fs::read(dir.path().join(kept)).unwrap();
        std::fs::remove_file(dir.path().join(lost)).unwrap();
        let error = Authority::open(dir.path(), &[], &environment()).err().unwrap().to_string();
        assert!(error.contains(&format!("{lost} is not: put {lost} back")), "{error}");
        assert_eq!(std::fs::read(dir.path().join(kept)).unwrap(), before);
    }
}

#[test]
fn what_somebody_put_beside_it_is_none_of_its_files() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::open(dir.path(), &[], &environment()).unwrap();
    let names = || authority.files().unwrap().into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    for name in ["old.pem", "notes", ".hidden", "ca.key.bak"] {
        std::fs::write(dir.path().join(name), [0xff, 0xfe]).unwrap();
    }
    assert_eq!(names(), ["ca.crt", "ca.key"]);
    std::fs::write(dir.path().join("sa.key"), "k").unwrap();
    assert_eq!(names(), ["ca.crt", "ca.key", "sa.key"]);
}

#[test]
fn a_user_gets_a_certificate_of_the_day_it_is_signed() {
    let now = Arc::new(std::sync::atomic::AtomicI64::new(0));
    let clock = Arc::clone(&now);
    let time = move || Timestamp::from_second(clock.load(std::sync::atomic::Ordering::SeqCst)).unwrap();
    let authority = Authority::ephemeral(&[], &Environment::new(time, 1)).unwrap();
    // Two years after the start.
    now.store(2 * 365 * 24 * 3600, std::sync::atomic::Ordering::SeqCst);
    let kubeconfig = authority.kubeconfig("https://localhost").unwrap();
    let certificate = kubeconfig.split("client-certificate-data: ").nth(1).unwrap().lines().next().unwrap();
    let pem = base64::Engine::decode(&base64::prelude::BASE64_STANDARD, certificate).unwrap();
    let der = CertificateDer::from_pem_slice(&pem).unwrap();
    let (_, certificate) = x509_parser::parse_x509_certificate(&der).unwrap();
    let seconds = certificate.validity().not_after.timestamp();
    assert!(seconds > 3 * 365 * 24 * 3600, "{seconds}");
}
