//! Where a span belongs: the trace, the span above it, and what a request says of both (W3C Trace Context §3.2).

/// A span's place in a trace.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Context {
    pub(crate) trace_id: [u8; 16],
    pub(crate) span_id: [u8; 8],
}

/// What a `traceparent` names.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Parent {
    pub(crate) trace_id: [u8; 16],
    pub(crate) span_id: [u8; 8],
    /// Whether the client records the trace.
    pub(crate) is_sampled: bool,
}

impl Context {
    /// The first span of a trace; none where the system gives no random numbers.
    pub(super) fn root() -> Option<Self> {
        Some(Self { trace_id: random()?, span_id: random()? })
    }

    /// A span below another service's.
    pub(super) fn below(parent: &Parent) -> Option<Self> {
        Some(Self { trace_id: parent.trace_id, span_id: random()? })
    }

    /// A span below this one.
    pub(super) fn child(self) -> Option<Self> {
        Some(Self { span_id: random()?, ..self })
    }
}

impl Parent {
    /// Reads the value of a `traceparent`; what is not as it should be is passed over, as §4.3 has it.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        // version "-" trace-id "-" parent-id "-" trace-flags; later versions may go on after another "-".
        let (known, more) = text.split_at_checked(55)?;
        let mut parts = known.split(|byte| *byte == b'-');
        let [version] = octets(parts.next()?)?;
        let [trace_id, span_id] = [parts.next()?, parts.next()?];
        let (trace_id, span_id) = (octets(trace_id)?, octets(span_id)?);
        let [flags] = octets(parts.next()?)?;
        let is_whole = match version {
            0 => more.is_empty(),
            255 => false,
            _ => more.is_empty() || more.starts_with(b"-"),
        };
        let is_named = trace_id != [0; 16] && span_id != [0; 8];
        (is_whole && is_named && parts.next().is_none()).then_some(Self {
            trace_id,
            span_id,
            is_sampled: flags & 1 == 1,
        })
    }
}

/// Exactly so many octets, from lower-case hexadecimal digits.
fn octets<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    let value = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    if digits.len() != 2 * N {
        return None;
    }
    let mut own = [0; N];
    for (octet, pair) in own.iter_mut().zip(digits.chunks_exact(2)) {
        let [high, low] = pair.try_into().ok()?;
        *octet = value(high)? << 4 | value(low)?;
    }
    Some(own)
}

fn random<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceparent_is_read_as_the_recommendation_has_it() {
        // W3C Trace Context §3.2.2, §3.2.4, and its examples.
        let trace = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331";
        let read = |text: &str| Parent::parse(text.as_bytes());
        let known = read(&format!("00-{trace}-01")).unwrap();
        assert_eq!(known.span_id, [0xb7, 0xad, 0x6b, 0x71, 0x69, 0x20, 0x33, 0x31]);
        assert_eq!((known.trace_id[0], known.trace_id[15], known.is_sampled), (0x0a, 0x9c, true));
        assert!(!read(&format!("00-{trace}-00")).unwrap().is_sampled);
        // A later version: what is known of it counts.
        assert_eq!(read(&format!("cc-{trace}-01-what-the-future-has")), Some(known));
        for wrong in [
            String::new(),
            format!("00-{trace}-0"),
            format!("00-{trace}-01-more"),
            format!("00-{trace}-01x"),
            format!("cc-{trace}-01more"),
            format!("ff-{trace}-01"),
            format!("0g-{trace}-01"),
            format!("00-{}-01", trace.to_uppercase()),
            format!("00-{}-b7ad6b7169203331-01", "0".repeat(32)),
            format!("00-0af7651916cd43dd8448eb211c80319c-{}-01", "0".repeat(16)),
            format!("00_{}_01", trace.replace('-', "_")),
        ] {
            assert_eq!(read(&wrong), None, "{wrong}");
        }
    }
}
