//! The fields of a call record that a layout can fill, by the names that mapping files and our own CSV give them.

/// A field of a record, or something that helps to fill one.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Field {
    /// When it was answered.
    Answer,
    /// The attestation that the switch states.
    Attest,
    /// Who is called.
    Called,
    /// Who calls.
    Calling,
    /// The numbers that it was diverted from, the latest first.
    Diversion,
    /// Seconds of conversation: gives the end, or the answer, where no column does.
    Duration,
    /// The address that it went out to.
    EgressAddress,
    /// The Call-ID of the leg that went out.
    EgressCallId,
    /// The trunk that it went out by.
    EgressTrunk,
    /// When it ended.
    End,
    /// Whether the attempt is the last one of its call.
    Final,
    /// The Identity header values.
    Identity,
    /// The address that it came from.
    IngressAddress,
    /// The Call-ID of the leg that came in.
    IngressCallId,
    /// The trunk that it came in by.
    IngressTrunk,
    /// How many minutes the row's times are behind UTC.
    MinutesWest,
    /// The origination identifier that the switch states.
    Origid,
    /// Who was called before the call was diverted or the number translated.
    OriginalCalled,
    /// The release cause of Q.850.
    Q850,
    /// Seconds from the start to the answer: gives the answer where no column does.
    Ring,
    /// The same in milliseconds.
    RingMs,
    /// The final SIP response.
    SipStatus,
    /// The signer's service provider code that the switch states.
    Spc,
    /// When the attempt began.
    Start,
    /// The switch that wrote the line.
    Switch,
    /// What the switch says of its verification.
    Verstat,
    /// The zone of the row's times: an IANA name, or an offset.
    Zone,
}

impl Field {
    /// All of them, by name.
    pub const ALL: [(&'static str, Self); 27] = [
        ("start", Self::Start),
        ("answer", Self::Answer),
        ("end", Self::End),
        ("ring", Self::Ring),
        ("ring_ms", Self::RingMs),
        ("duration", Self::Duration),
        ("zone", Self::Zone),
        ("minutes_west", Self::MinutesWest),
        ("calling", Self::Calling),
        ("called", Self::Called),
        ("original_called", Self::OriginalCalled),
        ("ingress_trunk", Self::IngressTrunk),
        ("ingress_address", Self::IngressAddress),
        ("ingress_call_id", Self::IngressCallId),
        ("egress_trunk", Self::EgressTrunk),
        ("egress_address", Self::EgressAddress),
        ("egress_call_id", Self::EgressCallId),
        ("sip_status", Self::SipStatus),
        ("q850", Self::Q850),
        ("identity", Self::Identity),
        ("diversion", Self::Diversion),
        ("switch", Self::Switch),
        ("final", Self::Final),
        ("verstat", Self::Verstat),
        ("attest", Self::Attest),
        ("origid", Self::Origid),
        ("spc", Self::Spc),
    ];

    /// Every record has them.
    pub(super) const REQUIRED: [Self; 3] = [Self::Start, Self::Calling, Self::Called];

    /// The field of that name, upper case or lower.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, field)| *field)
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, field)| *field == self).map_or("", |(name, _)| name)
    }
}
