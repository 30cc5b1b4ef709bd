//! What goes through the WebSocket: messages that begin with the number of a channel (upstream: apimachinery,
//! `util/remotecommand`).

use crate::kubelet::TerminalSize;

const STDIN: u8 = 0;
pub(super) const STDOUT: u8 = 1;
pub(super) const STDERR: u8 = 2;
/// How it ended, as a `metav1.Status`.
pub(super) const ERROR: u8 = 3;
const RESIZE: u8 = 4;
/// That a channel is at its end, whose number follows; since version 5.
const CLOSE: u8 = 255;

/// A version of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    V5,
    V4,
}

/// What a client says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said<'a> {
    Stdin(&'a [u8]),
    /// There is no more for the command to read.
    EndOfStdin,
    Resize(TerminalSize),
    /// What has no effect: upstream takes it for nothing, too.
    Nothing,
}

impl Protocol {
    pub(super) const ALL: [Self; 2] = [Self::V5, Self::V4];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::V5 => "v5.channel.k8s.io",
            Self::V4 => "v4.channel.k8s.io",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|protocol| protocol.name() == name)
    }

    /// What a message says.
    pub(super) fn said(self, message: &[u8]) -> Said<'_> {
        match message.split_first() {
            Some((&STDIN, data)) if !data.is_empty() => Said::Stdin(data),
            Some((&CLOSE, [STDIN])) if self == Self::V5 => Said::EndOfStdin,
            Some((&RESIZE, size)) => serde_json::from_slice(size).map_or(Said::Nothing, Said::Resize),
            _ => Said::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_say_what_their_channel_is_for() {
        let size = TerminalSize { width: 80, height: 24 };
        let resize = [&[RESIZE][..], br#"{"Width":80,"Height":24}"#].concat();
        for (protocol, message, expect) in [
            (Protocol::V5, &b"\0in"[..], Said::Stdin(b"in")),
            (Protocol::V4, b"\0in", Said::Stdin(b"in")),
            (Protocol::V5, b"\0", Said::Nothing),
            (Protocol::V5, b"\xff\0", Said::EndOfStdin),
            (Protocol::V4, b"\xff\0", Said::Nothing),
            (Protocol::V5, b"\xff\x04", Said::Nothing),
            (Protocol::V5, b"\xff", Said::Nothing),
            (Protocol::V4, &resize, Said::Resize(size)),
            (Protocol::V4, b"\x04{}", Said::Resize(TerminalSize::default())),
            (Protocol::V4, b"\x04{", Said::Nothing),
            (Protocol::V5, b"\x01out", Said::Nothing),
            (Protocol::V5, b"", Said::Nothing),
        ] {
            assert_eq!(protocol.said(message), expect, "{protocol:?} {message:?}");
        }
    }
}
