//! `verify --hep`: HEPv3 packets as switches send them, over UDP, judged as they come.

use std::io;
use std::net::{SocketAddr, UdpSocket};

use crate::capture::{CaptureTime, Dissector, Limits};
use crate::cli::exit::{Complaint, Stop};
use crate::cli::files::Source;
use crate::cli::pieces::Piece;
use crate::cli::pipeline::Give;
use crate::cli::printer::Printer;
use crate::cli::verify::chunk::{Chunk, Chunks, Item};
use crate::clock;

/// An address that is listened at.
pub(super) struct Listener {
    asked_for: SocketAddr,
    bound: SocketAddr,
    socket: UdpSocket,
}

/// Begins to listen.
pub(super) fn bind(address: SocketAddr, printer: &mut Printer) -> Result<Listener, Stop> {
    let complain = |reason: io::Error| complaint(address, &reason);
    let socket = UdpSocket::bind(address).map_err(complain)?;
    let bound = socket.local_addr().map_err(complain)?;
    printer.note(&format!("listening for HEPv3 on udp {bound}; interrupt to end"));
    Ok(Listener { asked_for: address, bound, socket })
}

/// Hands over what each packet brings, until the process ends.
pub(super) fn listen(listener: &Listener, give: &mut Give<'_, Chunk>) -> Result<(), Stop> {
    let source = Source::file(format!("hep:{}", listener.bound));
    let mut chunks = Chunks::new(give);
    let mut dissector = Dissector::new(Limits::default());
    let mut buffer = vec![0; MAX_DATAGRAM];
    for number in 1.. {
        let length = match listener.socket.recv(&mut buffer) {
            Ok(length) => length,
            // What a sender's machine says about our silence, or a signal.
            Err(reason) if matches!(reason.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted) => {
                continue;
            }
            Err(reason) => return Err(complaint(listener.asked_for, &reason).into()),
        };
        let time = CaptureTime::new(clock::now().seconds(), 0);
        let mut messages = Vec::new();
        let packet = buffer.get(..length).unwrap_or_default();
        dissector.hep(number, Some(time), packet, &mut |message| messages.push(message.into_owned()));
        for message in messages {
            let (bytes, piece) = (message.bytes.len(), Piece::Captured(Box::new(message)));
            chunks.add(Item::Piece(source.at_frame(number), piece), bytes)?;
        }
        chunks.pause()?;
    }
    Ok(())
}

fn complaint(address: SocketAddr, reason: &io::Error) -> Complaint {
    Complaint::new(format!("--hep {address}: {reason}")).hint("name an address of this machine and a free port")
}

/// The longest UDP datagram (RFC 768).
const MAX_DATAGRAM: usize = 65_535;
