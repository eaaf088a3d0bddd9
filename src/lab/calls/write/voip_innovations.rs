//! VoIP Innovations and its like (traceback 4.8): `;` between the fields, a header, the customer's address.

use std::fmt::Write as _;

use super::Entry;

pub(super) const HEADER: &str = "CallType;StartTime;StopTime;CallDuration;BillDuration;CallMinimum;CallIncrement;\
    BasePrice;CallPrice;TransactionId;CustomerIP;ANI;ANIState;DNIS;LRN;DNISState;DNISLATA;DNISOCN;OrigTier;TermRateDeck\n";

pub(super) fn write(entry: &Entry<'_>, out: &mut String) {
    out.push_str("OUTBOUND;");
    entry.stamp(entry.start, out);
    out.push(';');
    entry.stamp(entry.end, out);
    let talked = entry.answer.map_or(0, |answer| (entry.end - answer) / 1000);
    let _ = writeln!(
        out,
        ";{talked};{};6;6;0.0042;0.00042;{:016x};{};{};XX;{};;XX;132;318X;0;Standard",
        talked.div_euclid(6) * 6 + 6,
        entry.id,
        entry.ingress.address,
        entry.calling,
        entry.called
    );
}
