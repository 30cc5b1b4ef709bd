//! Everything this crate reads is bounded; these are the bounds.

/// The largest things an image may consist of. Whoever sent it, an image past a limit is refused by the
/// limit's name before it fills the disk or the memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one archive after its own compression, and of all blobs of one pull together.
    pub archive_bytes_max: u64,
    /// Bytes of one manifest, index or config; they are held in memory.
    pub document_bytes_max: u64,
    /// Bytes of one layer as unpacked: the stop for decompression bombs.
    pub layer_bytes_max: u64,
    /// Entries (files, directories, links) in one layer.
    pub layer_entries_max: u64,
    /// Layers of one image. overlayfs takes 500 lower directories.
    pub layers_max: usize,
    /// Entries in one archive.
    pub archive_entries_max: u64,
    /// Bytes between one tar entry's data and the next: headers, long names, extended attributes.
    pub tar_header_bytes_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            archive_bytes_max: 32 << 30,
            document_bytes_max: 4 << 20,
            layer_bytes_max: 16 << 30,
            layer_entries_max: 2_000_000,
            layers_max: 500,
            archive_entries_max: 10_000,
            tar_header_bytes_max: 2 << 20,
        }
    }
}
