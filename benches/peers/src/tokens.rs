//! What all verify: Identity values signed by one provider of the lab, its certificate and its key.

use std::fs;
use std::path::{Path, PathBuf};

use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use p256::pkcs8::{DecodePrivateKey, EncodePublicKey, LineEnding};
use stirtrace::identity_header::IdentityHeader;
use stirtrace::passport::{Claims, Destination, Header, Party, Passport};
use stirtrace::time::UnixTime;

pub(crate) const COUNT: u32 = 256;
pub(crate) const CALLER: &str = "12155550112";
pub(crate) const CALLED: &str = "12155550131";
pub(crate) const NOW: UnixTime = UnixTime::from_seconds(1_777_896_001);
pub(crate) const URL: &str = "https://certificates.lab.example/twill.pem";

/// What lies in the folder that all workers read.
pub(crate) struct Tokens {
    pub(crate) values: Vec<String>,
    pub(crate) certificates: Vec<u8>,
    pub(crate) roots: Vec<u8>,
    pub(crate) public_pem: Vec<u8>,
}

impl Tokens {
    pub(crate) fn read(folder: &str) -> Self {
        let file = |name: &str| fs::read(Path::new(folder).join(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
        let values = String::from_utf8(file("identities.txt")).expect("tokens are text");
        Self {
            values: values.lines().map(str::to_owned).collect(),
            certificates: file("certificates.pem"),
            roots: file("roots.pem"),
            public_pem: file("public.pem"),
        }
    }

    /// The tokens without parameters.
    pub(crate) fn bare(&self) -> Vec<&str> {
        self.values.iter().filter_map(|value| value.split(';').next()).collect()
    }
}

/// Writes the folder: `identities.txt`, `certificates.pem`, `roots.pem`, `public.pem`.
pub(crate) fn make(folder: &str) {
    let certs = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../certs");
    let lab = |name: &str| fs::read(certs.join(name)).unwrap_or_else(|e| panic!("certs/{name}: {e}"));
    let folder = Path::new(folder);
    let write = |name: &str, bytes: &[u8]| fs::write(folder.join(name), bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
    fs::create_dir_all(folder).expect("the folder can be made");
    let key = String::from_utf8(lab("keys/twill.pem")).expect("PEM is text");
    let key = SigningKey::from_pkcs8_pem(&key).expect("the lab's key is one");
    write("public.pem", key.verifying_key().to_public_key_pem(LineEnding::LF).expect("a point").as_bytes());
    write("roots.pem", &lab("roots.pem"));
    write("certificates.pem", &lab("archive/certificates.lab.example/twill.pem"));
    let values: String = (0..COUNT).map(|place| format!("{}\n", value(&key, place))).collect();
    write("identities.txt", values.as_bytes());
}

fn value(key: &SigningKey, place: u32) -> String {
    let mut claims = Claims::default();
    claims.attest = Some("A".to_owned());
    claims.origid = Some(format!("123e4567-e89b-42d3-a456-42665544{place:04x}"));
    claims.dest = Some(Destination::new(vec![CALLED.to_owned()], Vec::new()));
    claims.orig = Some(Party::Number(CALLER.to_owned()));
    claims.iat = Some(NOW);
    let input = Passport::signing_input_of(&Header::new(Some("shaken"), URL), &claims);
    let signature: Signature = key.sign(input.as_bytes());
    let token = Passport::token_of(&input, &signature.to_bytes());
    IdentityHeader::new(token, URL.to_owned(), Some("shaken".to_owned())).to_string()
}
