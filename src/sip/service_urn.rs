//! Service URNs: what an emergency call is for, instead of somebody (RFC 5031 §3).

/// `urn:service:sos` in canonical form, which is lower case; none for every other text.
#[must_use]
pub fn service_urn(text: &str) -> Option<String> {
    let canonical = text.trim().to_ascii_lowercase();
    let is_label = |label: &str| !label.is_empty() && label.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-');
    canonical.strip_prefix("urn:service:")?.split('.').all(is_label).then_some(canonical)
}

/// The same of a header field that names it: `<urn:service:sos>`, whatever stands around it.
pub(super) fn of_field(text: &str) -> Option<String> {
    match text.split_once('<') {
        Some((_, rest)) => service_urn(rest.split_once('>')?.0),
        None => service_urn(text.split(';').next()?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_known_whatever_its_case() {
        for text in ["urn:service:sos.police", "URN:Service:SOS.police"] {
            assert_eq!(service_urn(text).as_deref(), Some("urn:service:sos.police"));
        }
        for text in ["urn:service:", "urn:service:sos..x", "urn:nena:service:sos", "sip:sos@service", "urn:service:a b"]
        {
            assert_eq!(service_urn(text), None, "{text}");
        }
        for text in ["<urn:service:sos>", "\"Help\" <urn:service:sos>;tag=1", "urn:service:sos;tag=1"] {
            assert_eq!(of_field(text).as_deref(), Some("urn:service:sos"), "{text}");
        }
        assert_eq!(of_field("<urn:service:sos"), None);
    }
}
