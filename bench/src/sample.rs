//! The app that is measured: `samples/hello`, as a program, as an unpacked image and as an archive.

use std::{
    fs::{self, File},
    io::Write,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result};
use images::{FileSystem, ImageBuilder, ImageConfig};
use tempfile::TempDir;

use crate::{pace, process::OwnProcess};

const PROGRAM: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/hello"));
/// The name it has in the platform's image store; no registry is asked for it.
pub(crate) const IMAGE: &str = "dev.local/hello:bench";

/// The sample, on disk.
pub(crate) struct Sample {
    dir: TempDir,
}

impl Sample {
    pub(crate) fn new() -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("ebb-bench-sample-").tempdir()?;
        let root = dir.path().join("rootfs");
        for directory in ["dev", "proc", "sys"] {
            fs::create_dir_all(root.join(directory))?;
        }
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755))?;
        File::options()
            .write(true)
            .create_new(true)
            .mode(0o755)
            .open(root.join("hello"))?
            .write_all(PROGRAM)?;
        let files = FileSystem::new().file("/hello", 0o755, PROGRAM)?;
        let config = ImageConfig { entrypoint: vec!["/hello".into()], ..ImageConfig::default() };
        let archive = File::create(dir.path().join("hello.tar"))?;
        ImageBuilder { files, config }.write_archive(&IMAGE.parse()?, archive)?;
        Ok(Self { dir })
    }

    /// The root file system of its image.
    pub(crate) fn rootfs(&self) -> PathBuf {
        self.dir.path().join("rootfs")
    }

    /// The program.
    pub(crate) fn program(&self) -> PathBuf {
        self.rootfs().join("hello")
    }

    /// Its image as an archive.
    pub(crate) fn archive(&self) -> PathBuf {
        self.dir.path().join("hello.tar")
    }

    /// Starts it as a plain process on a free port of the loopback.
    pub(crate) fn spawn(&self) -> Result<Running> {
        spawn(&self.program())
    }

    /// As [`Sample::spawn`], and waits until it accepts connections.
    pub(crate) fn serve(&self) -> Result<Running> {
        let running = self.spawn()?;
        pace::until("the sample to listen", Duration::from_millis(1), Duration::from_secs(5), || {
            Ok(TcpStream::connect(running.address).ok().map(drop))
        })?;
        Ok(running)
    }
}

/// The sample as a plain process; ends when dropped.
pub(crate) struct Running {
    _process: OwnProcess,
    pub(crate) address: SocketAddr,
}

fn spawn(program: &Path) -> Result<Running> {
    let address = free_address()?;
    let mut command = Command::new(program);
    command.env_clear().env("PORT", address.port().to_string());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let child = command.spawn().with_context(|| format!("starting {}", program.display()))?;
    Ok(Running { _process: OwnProcess(child), address })
}

/// An address of the loopback that nobody listens on now.
pub(crate) fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}
