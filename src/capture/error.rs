//! Why a capture cannot be read on.

use crate::capture::limits::{MAX_INTERFACES, MAX_PACKET_BYTES};

/// What stopped the reading of a capture file. The frames before it are good.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A block of a pcapng file that is shorter than its own fields, or whose two lengths differ.
    #[error("the block after frame {frame} is damaged: {reason}; what follows it cannot be read")]
    DamagedBlock {
        /// Frames before it.
        frame: u64,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The file ends inside a packet.
    #[error("the capture ends in the middle of frame {frame}; whoever wrote it was stopped, or the copy is not whole")]
    CutShort {
        /// The frame, from 1.
        frame: u64,
    },
    /// The system cannot read on.
    #[error("the capture cannot be read after frame {frame}: {reason}")]
    Io {
        /// Frames before it.
        frame: u64,
        /// What the system says.
        reason: String,
    },
    /// Neither pcap nor pcapng nor HEP.
    #[error("neither pcap nor pcapng nor HEPv3: its first bytes are none of theirs")]
    NotACapture,
    /// A packet that claims to be longer than any.
    #[error(
        "frame {frame} claims {length} bytes, more than the {MAX_PACKET_BYTES} of the longest packet: the file is damaged there, and what follows cannot be read"
    )]
    PacketTooLong {
        /// The frame, from 1.
        frame: u64,
        /// The bytes that it claims.
        length: u64,
    },
    /// More interfaces than any machine has.
    #[error("the capture names more than {MAX_INTERFACES} interfaces after frame {frame}")]
    TooManyInterfaces {
        /// Frames before it.
        frame: u64,
    },
    /// A packet of an interface that the file does not describe.
    #[error(
        "frame {frame} is of interface {interface}, which the file does not describe; what follows it cannot be trusted"
    )]
    UnknownInterface {
        /// The frame, from 1.
        frame: u64,
        /// The interface, from 0.
        interface: u32,
    },
}
