//! Random UUIDs (RFC 9562 §5.4: version 4): origination identifiers, names of requests.

/// The system gives no random numbers: nothing that has to be told apart from everything else can be made.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the system gives no random numbers")]
pub(crate) struct NoRandomNumbers;

/// A new one.
pub(crate) fn random() -> Result<String, NoRandomNumbers> {
    octets().map(of_random)
}

/// What one is made of.
pub(crate) fn octets() -> Result<[u8; 16], NoRandomNumbers> {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| NoRandomNumbers)?;
    Ok(bytes)
}

/// The one of these random octets.
pub(crate) fn of_random(mut bytes: [u8; 16]) -> String {
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let mut text = String::with_capacity(36);
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        for digit in [byte >> 4, byte & 0x0f] {
            text.push(char::from(b"0123456789abcdef"[usize::from(digit)]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passport::is_uuid;

    #[test]
    fn each_is_a_uuid_of_version_4() {
        let (first, second) = (random().unwrap(), random().unwrap());
        assert!(is_uuid(&first) && first != second, "{first}");
        assert_eq!(&first[14..15], "4");
        assert!("89ab".contains(&first[19..20]), "{first}");
    }
}
