//! The two servers that are compared.

use std::{env, fs};

use apiserver::{ApiServer, Options};
use tokio::net::TcpListener;

use crate::{https::Https, kubernetes::Kubernetes};

/// What is there before the first call.
pub(crate) enum Servers {
    /// A peer of our own.
    Started(Kubernetes),
    /// One that runs already, by its kubeconfig.
    Found(String),
}

/// One of the two, as its admin and as nobody.
pub(crate) struct Home {
    pub(crate) admin: Https,
    pub(crate) stranger: Https,
}

/// Both, running.
pub(crate) struct Homes {
    pub(crate) ours: Home,
    pub(crate) theirs: Home,
    /// Stops it in the end.
    _peer: Option<Kubernetes>,
}

impl Servers {
    /// The peer; the reason, where there can be none.
    pub(crate) fn find() -> Result<Self, String> {
        match env::var_os("EBB_COMPARE_WITH") {
            Some(kubeconfig) => Ok(Self::Found(fs::read_to_string(kubeconfig).unwrap())),
            None => Kubernetes::start().map(Self::Started),
        }
    }

    pub(crate) async fn start(self) -> Homes {
        let (kubeconfig, peer) = match self {
            Self::Started(kubernetes) => (kubernetes.kubeconfig(), Some(kubernetes)),
            Self::Found(kubeconfig) => (kubeconfig, None),
        };
        Homes { ours: ours().await, theirs: Home::of(&kubeconfig), _peer: peer }
    }
}

impl Home {
    fn of(kubeconfig: &str) -> Self {
        Self { admin: Https::of(kubeconfig), stranger: Https::stranger(kubeconfig) }
    }
}

async fn ours() -> Home {
    let server = ApiServer::in_memory(Options::new("")).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let kubeconfig = server.kubeconfig(&format!("https://{}", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async move { server.serve(listener, std::future::pending()).await });
    Home::of(&kubeconfig)
}
