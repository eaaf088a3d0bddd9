//! A call record on its way to a verdict: the call that its line tells of, and what it says about it in the output.

use serde::Serialize;

use crate::cdr::Record;
use crate::identity_header::IdentityHeader;
use crate::lake::Found;
use crate::number::Identity;
use crate::passport::Passport;
use crate::sip::call::Call;
use crate::time::UnixTime;

/// What a kept record says about a call, as it is printed.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Recorded {
    time: UnixTime,
    network: String,
    source: String,
    trunk: Option<String>,
    address: Option<String>,
}

impl Recorded {
    /// The call of a record: its PASSporTs, and its numbers as the line has them.
    pub(crate) fn call(record: &Record) -> Call {
        let mut call = Call::bare(record.identity.iter().map(String::as_str));
        call.call_id.clone_from(&record.ingress.call_id);
        call.from = record.calling.canonical.map(Identity::Number);
        call.to = record.called.canonical.map(Identity::Number);
        call
    }

    /// What is said about a record.
    pub(crate) fn new(found: Found) -> Self {
        Self {
            time: began(&found.record),
            network: found.network.as_ref().to_owned(),
            source: found.source.as_ref().to_owned(),
            trunk: found.record.ingress.trunk,
            address: found.record.ingress.address,
        }
    }

    /// When the call began.
    pub(crate) const fn time(&self) -> UnixTime {
        self.time
    }

    /// Whose record it is.
    pub(crate) fn network(&self) -> &str {
        &self.network
    }

    /// Where the call came from: the address, else the trunk.
    pub(crate) fn origin(&self) -> Option<&str> {
        self.address.as_deref().or(self.trunk.as_deref())
    }
}

/// When a call began; in the hour that a local clock repeats, the instant that is nearer to its PASSporT's `iat`.
fn began(record: &Record) -> UnixTime {
    let Some(repeated) = record.start_repeated else { return record.start };
    let headers = record.identity.iter().filter_map(|value| IdentityHeader::parse(value).ok());
    let iat = headers.filter_map(|header| Passport::parse(&header.token).ok()).find_map(|own| own.claims().iat);
    let distance = |instant: UnixTime| iat.map_or(0, |iat| instant.seconds_since(iat).unsigned_abs());
    if distance(repeated) < distance(record.start) { repeated } else { record.start }
}
