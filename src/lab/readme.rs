//! The README that lies in every lab folder.

use super::authorities::PLANS;
use super::cast::LEAVES;
use super::pki::Settings;

pub(super) fn print(settings: &Settings) -> String {
    let mut text = HEAD
        .replace("{seed}", &settings.seed.escape_debug().to_string())
        .replace("{start}", &settings.start.to_string())
        .replace("{days}", &settings.leaf_days.to_string())
        .replace("{instant}", &settings.instant().to_string());
    text.push_str("\n## Authorities\n\n| name | what it is |\n|---|---|\n");
    for plan in PLANS {
        text.push_str(&format!("| `{}` | {} |\n", plan.name, plan.purpose));
    }
    text.push_str("\n## Signing certificates\n\n| name | holder | what it is | expect |\n|---|---|---|---|\n");
    for plan in LEAVES {
        let expected = plan.fate.error_kind().unwrap_or("good");
        text.push_str(&format!("| `{}` | {} | {} | {expected} |\n", plan.name, plan.organization, plan.purpose));
    }
    text
}

const HEAD: &str = "# A throw-away STIR/SHAKEN PKI

Written by `stirtrace lab pki`, never by hand. **Its private keys are public and worthless**: anybody can compute them
from the seed. No provider here exists, no number is anybody's. Never trust these roots for real calls.

Seed `{seed}`, start {start}, signing certificates valid for {days} days from there. The same seed, start and days give the
same bytes. What the tables below expect holds at {instant} with the CRLs given; `manifest.json` says the same for programs.

| file | what it is |
|---|---|
| `roots.pem` | the three trusted roots |
| `trust-list.jwt` | the same as the STI-PA publishes them: `{\"caList\": \"<signed list>\"}`, sequence 42 |
| `trust-signer.pem`, `trust-signer-root.pem` | whose signature the list bears, and the root above it: pin either |
| `trust-list/` | `bare.jwt`: the list without its envelope. For tests: `older.jwt` (sequence 41, two roots), `expired.jwt`, `by-stranger.jwt` (and `stranger.pem`), `damaged.jwt` |
| `archive/` | certificates under `host[:port]/path`, as `wget --mirror` lays them out: what `--certs` reads |
| `crl/indirect.pem`, `.der` | the STI-PA's indirect CRL; `crl-signer.pem` is its signer |
| `crl/direct-p384.pem`, `direct-rsa.pem` | CRLs of two intermediates about their own certificates; `empty-p384.pem` revokes nothing |
| `crl/stale.pem` | an indirect CRL long past its nextUpdate, from before anything but an intermediate was revoked |
| `crl/bad/` | CRLs that must not be believed: garbled, damaged, signed by a leaf or a stranger, by an authority without cRLSign, by an authority about another's certificate |
| `authorities/` | the certificate of every authority, the untrusted ones too |
| `keys/` | private keys (PKCS#8), by the name of the certificate |
";
