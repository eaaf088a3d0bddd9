//! `verify --hep`: HEPv3 packets as switches send them, over UDP, judged as they come.

use std::io;
use std::net::{SocketAddr, UdpSocket};

use crate::capture::{CaptureTime, Dissector, Limits};
use crate::cli::exit::{Complaint, Stop};
use crate::cli::files::Source;
use crate::cli::printer::Printer;
use crate::cli::verify::Run;
use crate::clock;

/// Listens until the process ends.
pub(super) fn listen(address: SocketAddr, run: &mut Run<'_>, printer: &mut Printer) -> Result<(), Stop> {
    let complain = |reason: io::Error| {
        Complaint::new(format!("--hep {address}: {reason}")).hint("name an address of this machine and a free port")
    };
    let socket = UdpSocket::bind(address).map_err(complain)?;
    let bound = socket.local_addr().map_err(complain)?;
    printer.note(&format!("listening for HEPv3 on udp {bound}; interrupt to end"));
    let source = Source::file(format!("hep:{bound}"));
    let mut dissector = Dissector::new(Limits::default());
    let mut buffer = vec![0; MAX_DATAGRAM];
    for number in 1.. {
        let length = match socket.recv(&mut buffer) {
            Ok(length) => length,
            // What a sender's machine says about our silence, or a signal.
            Err(reason) if matches!(reason.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted) => {
                continue;
            }
            Err(reason) => return Err(complain(reason).into()),
        };
        let time = CaptureTime::new(clock::now().seconds(), 0);
        let mut messages = Vec::new();
        let packet = buffer.get(..length).unwrap_or_default();
        dissector.hep(number, Some(time), packet, &mut |message| messages.push(message.into_owned()));
        for message in &messages {
            run.captured(source.at_frame(number), message, printer)?;
        }
        printer.flush()?;
    }
    Ok(())
}

/// The longest UDP datagram (RFC 768).
const MAX_DATAGRAM: usize = 65_535;
