//! A container's order as a file in memory: the keeper keeps it closed as long as the container is there, for programs
//! that are to run in it later as its own does. The keeper never reads it: an order holds secrets, and the keeper's
//! memory is copied into the init of every later container.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{MemfdFlags, fstat, memfd_create};
use rustix::io::{Errno, pread, retry_on_intr, write};
use serde::de::DeserializeOwned;

/// Makes the file of an order.
pub(super) fn keep(order: &[u8]) -> io::Result<OwnedFd> {
    let file = match memfd_create("order", MemfdFlags::CLOEXEC | MemfdFlags::NOEXEC_SEAL) {
        // Kernels before 6.3 do not know that it is no program; later ones may insist on being told.
        Err(Errno::INVAL) => memfd_create("order", MemfdFlags::CLOEXEC)?,
        made => made?,
    };
    let mut left = order;
    while !left.is_empty() {
        let written = retry_on_intr(|| write(&file, left))?;
        left = &left[written..];
    }
    Ok(file)
}

/// Reads an order back. Any number of processes may at once: the file's position is not used.
pub(super) fn read<T: DeserializeOwned>(file: BorrowedFd<'_>) -> Result<T, Errno> {
    let length = usize::try_from(fstat(file)?.st_size).map_err(|_| Errno::FBIG)?;
    let mut bytes = vec![0; length];
    let mut at = 0;
    while at < length {
        match retry_on_intr(|| pread(file.as_fd(), &mut bytes[at..], at as u64))? {
            0 => return Err(Errno::IO),
            read => at += read,
        }
    }
    serde_json::from_slice(&bytes).map_err(|_| Errno::INVAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_read_as_often_as_it_is_needed() {
        let order: Vec<String> = (0..100_000).map(|number| number.to_string()).collect();
        let file = keep(&serde_json::to_vec(&order).unwrap()).unwrap();
        for _ in 0..2 {
            assert_eq!(read::<Vec<String>>(file.as_fd()).unwrap(), order);
        }
        assert_eq!(read::<String>(file.as_fd()), Err(Errno::INVAL), "that is something else");
    }
}
