//! The JOSE header of a PASSporT (RFC 8225 §4).

use super::Fault;
use super::json::{Json, canonical_object, to_map};

/// The protected header, members as they stood. Values are judged by the verifier, not here.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Header {
    /// `alg`: the JWA name of the signature's algorithm.
    pub alg: Option<String>,
    /// `typ`: `passport`.
    pub typ: Option<String>,
    /// `ppt`: the extension in force, absent for a base PASSporT.
    pub ppt: Option<String>,
    /// `x5u`: where the signer's certificate lies.
    pub x5u: Option<String>,
    /// `crit` names members that must be understood (RFC 7515 §4.1.11). None is, so its presence fails.
    pub critical: bool,
    /// Members with a value of the wrong type.
    pub faults: Vec<Fault>,
    /// Whether the bytes are RFC 8225 §9's canonical form.
    pub canonical: bool,
}

impl Header {
    /// A header of the four members that PASSporTs use.
    #[must_use]
    pub fn new(ppt: Option<&str>, x5u: &str) -> Self {
        Self {
            alg: Some("ES256".to_owned()),
            typ: Some("passport".to_owned()),
            ppt: ppt.map(str::to_owned),
            x5u: Some(x5u.to_owned()),
            canonical: true,
            ..Self::default()
        }
    }

    /// Reads the decoded header segment.
    ///
    /// # Errors
    /// When the bytes are no JSON object, repeat a name or nest too deep.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        let members = Json::parse_object(bytes)?;
        let mut header = Self { canonical: canonical_object(&members).as_bytes() == bytes, ..Self::default() };
        for (name, value) in &members {
            let slot = match &**name {
                "alg" => &mut header.alg,
                "typ" => &mut header.typ,
                "ppt" => &mut header.ppt,
                "x5u" => &mut header.x5u,
                "crit" => {
                    header.critical = true;
                    continue;
                }
                // G33: unknown members are no error.
                _ => continue,
            };
            match value {
                Json::String(text) => *slot = Some(text.clone().into_owned()),
                other => header.faults.push(Fault::new(name, format!("{} where a string belongs", other.kind()))),
            }
        }
        Ok(header)
    }

    /// RFC 8225 §9: the members in canonical order and form.
    #[must_use]
    pub fn to_canonical_json(&self) -> String {
        let members = [("alg", &self.alg), ("ppt", &self.ppt), ("typ", &self.typ), ("x5u", &self.x5u)];
        let members: Vec<_> = members
            .into_iter()
            .filter_map(|(name, value)| Some((name.into(), Json::String(value.as_deref()?.into()))))
            .collect();
        canonical_object(&members)
    }
}

/// All members of a header or payload segment, for showing.
pub(super) fn members(bytes: &[u8]) -> Option<serde_json::Map<String, serde_json::Value>> {
    Json::parse_object(bytes).ok().map(|members| to_map(&members))
}
