//! Who holds a signing certificate in the lab, and what is wrong with it.

use super::extension::{Constraints, TnEntry};
use super::key::KeyKind;
use super::leaves::{Body, Constrained, Fate, LeafPlan, Lifetime, Scope};

/// `3008 a006 1604 "00"`: the string ends before its length says (G19).
const TRUNCATED: &[u8] = &[0x30, 0x08, 0xa0, 0x06, 0x16, 0x04, 0x30, 0x30];
/// `3006 8004 "455S"`: written with implicit tags (C2).
const IMPLICIT: &[u8] = &[0x30, 0x06, 0x80, 0x04, 0x34, 0x35, 0x35, 0x53];
/// `3000`: nobody may be named by an empty list (C1: SIZE (1..MAX)).
const NO_ENTRY: &[u8] = &[0x30, 0x00];

const ATTEST_B_OR_C: Constraints = Constraints { permitted: &[("attest", &["B", "C"])], ..Constraints::NONE };
const ORIGID_NO_RCD: Constraints =
    Constraints { must_include: &["attest", "origid"], must_exclude: &["rcd", "crn"], ..Constraints::NONE };

const RCD_OF_WILLOW: Constraints = Constraints {
    must_include: &["rcdi"],
    permitted: &[(
        "rcd",
        &[r#"{"nam":"Willow Clinic"}"#, r#"{"icn":"https://cards.lab.example/willow.png","nam":"Willow Clinic"}"#],
    )],
    ..Constraints::NONE
};

/// Every signing certificate; the providers of the examples first.
pub(super) const LEAVES: &[LeafPlan] = &[
    LeafPlan {
        name: "twill",
        organization: "Twill Communications",
        spc: "552D",
        purpose: "originating CPaaS; P-256 all the way",
        ..LeafPlan::USUAL
    },
    LeafPlan {
        name: "cascade",
        organization: "Cascade Transit",
        spc: "771C",
        issuer: Some("int-p384"),
        purpose: "wholesale carrier; under the P-384 intermediate",
        ..LeafPlan::USUAL
    },
    LeafPlan {
        name: "harbor",
        organization: "Harbor Wholesale",
        spc: "318X",
        issuer: Some("int-rsa"),
        purpose: "wholesale carrier; under the RSA intermediate",
        ..LeafPlan::USUAL
    },
    LeafPlan {
        name: "prairie",
        organization: "Prairie Telephone",
        spc: "904P",
        purpose: "terminating provider; P-256 all the way",
        ..LeafPlan::USUAL
    },
    LeafPlan {
        name: "juniper",
        organization: "Juniper Gateway",
        spc: "640G",
        issuer: Some("int-p521"),
        purpose: "international gateway; under the P-521 intermediate",
        ..LeafPlan::USUAL
    },
    LeafPlan {
        name: "larkspur",
        organization: "Larkspur Voice",
        spc: "207L",
        authority: "certificates.lab.example:8443",
        purpose: "small provider; its certificate is served on port 8443 (F8)",
        ..LeafPlan::USUAL
    },
    LeafPlan {
        name: "saltmarsh",
        organization: "Saltmarsh Telecom",
        spc: "455S",
        issuer: Some("int-rsa"),
        purpose: "provider with customers of its own; under the RSA intermediate",
        ..LeafPlan::USUAL
    },
    LeafPlan {
        name: "quarry",
        organization: "Quarry Mobile",
        spc: "883Q",
        issuer: Some("int-p384"),
        purpose: "mobile provider; under the P-384 intermediate",
        ..LeafPlan::USUAL
    },
    LeafPlan {
        name: "numbers-only",
        organization: "Orchard Dental",
        spc: "",
        common_name: Some("SHAKEN Orchard Dental"),
        scope: Scope::Entries(&[
            TnEntry::Range("12155550110", 10),
            TnEntry::One("12155550131"),
            TnEntry::One("13125550177"),
        ]),
        purpose: "numbers and no SPC: 12155550110 to 12155550119, 12155550131, 13125550177",
        ..LeafPlan::USUAL
    },
    LeafPlan {
        name: "spc-and-numbers",
        organization: "Tamarack Phone",
        spc: "118T",
        scope: Scope::Entries(&[TnEntry::Spc("118T"), TnEntry::Range("13125550100", 100)]),
        purpose: "an SPC and numbers in one list: additive, though the ATIS profile wants one SPC (F18)",
        ..LeafPlan::USUAL
    },
    LeafPlan {
        name: "two-spcs",
        organization: "Tamarack Phone",
        spc: "118T",
        scope: Scope::Entries(&[TnEntry::Spc("118T"), TnEntry::Spc("119T")]),
        purpose: "two SPCs in one list, which the ATIS profile forbids (F18)",
        ..LeafPlan::USUAL
    },
    LeafPlan {
        name: "critical-tn-auth-list",
        organization: "Upland Wire",
        spc: "231U",
        scope: Scope::Critical,
        purpose: "a critical TNAuthList: seen in the field, tolerated (F18)",
        ..LeafPlan::USUAL
    },
    LeafPlan {
        name: "common-name-mismatch",
        organization: "Twin Elms",
        spc: "733E",
        common_name: Some("SHAKEN 740E"),
        purpose: "the CN names another SPC than the TNAuthList: the list counts (G20)",
        ..LeafPlan::USUAL
    },
    LeafPlan {
        name: "constrained-attest",
        organization: "Vesper Lines",
        spc: "302V",
        constrained: Constrained::Plain(ATTEST_B_OR_C),
        purpose: "JWTClaimConstraints: attest may be B or C only (C8)",
        ..LeafPlan::USUAL
    },
    LeafPlan {
        name: "constrained-enhanced",
        organization: "Vesper Lines",
        spc: "302V",
        constrained: Constrained::Enhanced(ORIGID_NO_RCD),
        purpose: "EnhancedJWTClaimConstraints: attest and origid required, rcd and crn forbidden (C9)",
        ..LeafPlan::USUAL
    },
    LeafPlan {
        name: "constrained-twice",
        organization: "Vesper Lines",
        spc: "302V",
        constrained: Constrained::Both(ATTEST_B_OR_C),
        fate: Fate::BadConstraints,
        purpose: "both kinds of constraints, which must not be (C9)",
        ..LeafPlan::USUAL
    },
    LeafPlan {
        name: "delegate-within",
        organization: "Willow Clinic",
        spc: "",
        common_name: Some("SHAKEN Willow Clinic"),
        issuer: Some("saltmarsh-sca"),
        scope: Scope::Entries(&[TnEntry::Range("12155550140", 10), TnEntry::One("12155550190")]),
        purpose: "delegate: 12155550140 to 12155550149 and 12155550190, all its issuer's (C14)",
        ..LeafPlan::USUAL
    },
    LeafPlan {
        name: "delegate-exceeds",
        organization: "Willow Clinic",
        spc: "",
        common_name: Some("SHAKEN Willow Clinic"),
        issuer: Some("saltmarsh-sca"),
        scope: Scope::Entries(&[TnEntry::Range("12155550140", 11)]),
        fate: Fate::DelegationExceeded,
        purpose: "delegate with one number more than its issuer has: 12155550150 (C14)",
        ..LeafPlan::USUAL
    },
    LeafPlan {
        name: "delegate-of-spc",
        organization: "Xylem Travel",
        spc: "",
        common_name: Some("SHAKEN Xylem Travel"),
        issuer: Some("larkspur-sca"),
        scope: Scope::Entries(&[TnEntry::Range("12155550160", 5)]),
        purpose: "delegate with numbers, its issuer's scope an SPC: a registry would have to tell (C14)",
        ..LeafPlan::USUAL
    },
    LeafPlan {
        name: "delegate-other-spc",
        organization: "Xylem Travel",
        spc: "771C",
        issuer: Some("larkspur-sca"),
        fate: Fate::DelegationExceeded,
        purpose: "delegate that claims the SPC of somebody else than its issuer (C14)",
        ..LeafPlan::USUAL
    },
    LeafPlan {
        name: "delegate-rcd",
        organization: "Willow Clinic",
        spc: "",
        common_name: Some("SHAKEN Willow Clinic"),
        issuer: Some("saltmarsh-sca"),
        scope: Scope::Entries(&[TnEntry::Range("12155550140", 10)]),
        constrained: Constrained::Plain(RCD_OF_WILLOW),
        purpose: "delegate that may say only its own name and picture, with their digests (F27, E18)",
        ..LeafPlan::USUAL
    },
    LeafPlan {
        name: "path-in-wrong-order",
        organization: "Yarrow Voice",
        spc: "410Y",
        body: Body::ReversedPath,
        purpose: "the intermediate comes first in the file (G18)",
        ..LeafPlan::USUAL
    },
    LeafPlan {
        name: "path-with-root",
        organization: "Yarrow Voice",
        spc: "410Y",
        body: Body::PathAndRoot,
        purpose: "the root is in the file too (F20, G18)",
        ..LeafPlan::USUAL
    },
    LeafPlan {
        name: "path-without-intermediate",
        organization: "Yarrow Voice",
        spc: "410Y",
        body: Body::LeafOnly,
        fate: Fate::Untrusted,
        purpose: "the intermediate is missing from the file (G18)",
        ..LeafPlan::USUAL
    },
    LeafPlan {
        name: "body-der",
        organization: "Zephyr Net",
        spc: "529Z",
        issuer: Some("root-p256"),
        body: Body::Der,
        purpose: "one DER certificate instead of PEM, issued by the root itself (G15)",
        ..LeafPlan::USUAL
    },
    LeafPlan {
        name: "body-html",
        organization: "Zephyr Net",
        spc: "529Z",
        body: Body::Html,
        fate: Fate::Unusable,
        purpose: "a web page where the certificate should be (G15)",
        ..LeafPlan::USUAL
    },
    LeafPlan {
        name: "body-public-key",
        organization: "Zephyr Net",
        spc: "529Z",
        body: Body::PublicKey,
        fate: Fate::Unusable,
        purpose: "a bare public key where the certificate should be (G15)",
        ..LeafPlan::USUAL
    },
    LeafPlan {
        name: "body-empty",
        organization: "Zephyr Net",
        spc: "529Z",
        body: Body::Empty,
        fate: Fate::Unusable,
        purpose: "nothing where the certificate should be (G15)",
        ..LeafPlan::USUAL
    },
    LeafPlan {
        name: "expired",
        organization: "Alder Talk",
        spc: "611A",
        lifetime: Lifetime::Past,
        fate: Fate::Expired,
        purpose: "expired a year before the lab opened (H21)",
        ..LeafPlan::USUAL
    },
    LeafPlan {
        name: "not-yet-valid",
        organization: "Alder Talk",
        spc: "611A",
        lifetime: Lifetime::Future,
        fate: Fate::NotYetValid,
        purpose: "valid only in twelve years (H21)",
        ..LeafPlan::USUAL
    },
    LeafPlan {
        name: "revoked",
        organization: "Birch Dial",
        spc: "276B",
        fate: Fate::Revoked,
        revoked_by: &["crl/indirect.pem"],
        purpose: "revoked 30 days after the lab opened, keyCompromise, by the indirect CRL (H22)",
        ..LeafPlan::USUAL
    },
    LeafPlan {
        name: "revoked-later",
        organization: "Birch Dial",
        spc: "276B",
        revoked_by: &["crl/indirect.pem"],
        purpose: "revoked 150 days after the lab opened: good for calls before, revoked for calls after (H22)",
        ..LeafPlan::USUAL
    },
    LeafPlan {
        name: "revoked-p384",
        organization: "Birch Dial",
        spc: "276B",
        issuer: Some("int-p384"),
        fate: Fate::Revoked,
        revoked_by: &["crl/indirect.pem", "crl/direct-p384.pem"],
        purpose: "revoked by the direct CRL of int-p384 and by the indirect one (H22)",
        ..LeafPlan::USUAL
    },
    LeafPlan {
        name: "revoked-rsa",
        organization: "Birch Dial",
        spc: "276B",
        issuer: Some("int-rsa"),
        fate: Fate::Revoked,
        revoked_by: &["crl/direct-rsa.pem"],
        purpose: "revoked by the direct CRL of int-rsa only (H22)",
        ..LeafPlan::USUAL
    },
    LeafPlan {
        name: "under-revoked-intermediate",
        organization: "Birch Dial",
        spc: "276B",
        issuer: Some("int-revoked"),
        fate: Fate::Revoked,
        revoked_by: &["crl/indirect.pem"],
        purpose: "good in itself; its intermediate is revoked by the indirect CRL (H22)",
        ..LeafPlan::USUAL
    },
    LeafPlan {
        name: "self-signed",
        organization: "Clover Dialers",
        spc: "552D",
        issuer: None,
        fate: Fate::Untrusted,
        purpose: "signed by itself, with Twill's SPC (G22)",
        ..LeafPlan::USUAL
    },
    LeafPlan {
        name: "under-fake-root",
        organization: "Clover Dialers",
        spc: "552D",
        issuer: Some("int-fake"),
        fate: Fate::Untrusted,
        purpose: "a whole path up to a root that nobody trusts, with Twill's SPC (H20)",
        ..LeafPlan::USUAL
    },
    LeafPlan {
        name: "under-fake-root-shown",
        organization: "Clover Dialers",
        spc: "552D",
        issuer: Some("int-fake"),
        body: Body::PathAndRoot,
        fate: Fate::Untrusted,
        purpose: "the same with the fake root in the file: a file cannot make itself trusted (H20)",
        ..LeafPlan::USUAL
    },
    LeafPlan {
        name: "under-look-alike",
        organization: "Clover Dialers",
        spc: "552D",
        issuer: Some("int-look-alike"),
        fate: Fate::Untrusted,
        purpose: "its issuer bears the name of a real intermediate, not its key (H20)",
        ..LeafPlan::USUAL
    },
    LeafPlan {
        name: "under-leaf",
        organization: "Clover Dialers",
        spc: "771C",
        issuer: Some("twill"),
        fate: Fate::Untrusted,
        purpose: "issued by Twill's signing certificate, which is no CA (C14)",
        ..LeafPlan::USUAL
    },
    LeafPlan {
        name: "path-too-long",
        organization: "Dogwood Link",
        spc: "868D",
        issuer: Some("ca-too-deep"),
        fate: Fate::Untrusted,
        purpose: "an intermediate says pathLen 0 and has another CA below it (H20)",
        ..LeafPlan::USUAL
    },
    LeafPlan {
        name: "damaged-signature",
        organization: "Dogwood Link",
        spc: "868D",
        damaged_signature: true,
        fate: Fate::Untrusted,
        purpose: "one bit of the issuer's signature is wrong (H20)",
        ..LeafPlan::USUAL
    },
    LeafPlan {
        name: "no-tn-auth-list",
        organization: "Elder Tone",
        spc: "157E",
        scope: Scope::Absent,
        fate: Fate::BadTnAuthList,
        purpose: "no TNAuthList: the CN speaks for nobody (H23)",
        ..LeafPlan::USUAL
    },
    LeafPlan {
        name: "truncated-tn-auth-list",
        organization: "Elder Tone",
        spc: "157E",
        scope: Scope::Raw(TRUNCATED),
        fate: Fate::BadTnAuthList,
        purpose: "a TNAuthList that ends early (G19, H23)",
        ..LeafPlan::USUAL
    },
    LeafPlan {
        name: "implicit-tn-auth-list",
        organization: "Saltmarsh Telecom",
        spc: "455S",
        scope: Scope::Raw(IMPLICIT),
        fate: Fate::BadTnAuthList,
        purpose: "a TNAuthList with implicit tags (C2, H23)",
        ..LeafPlan::USUAL
    },
    LeafPlan {
        name: "empty-tn-auth-list",
        organization: "Elder Tone",
        spc: "157E",
        scope: Scope::Raw(NO_ENTRY),
        fate: Fate::BadTnAuthList,
        purpose: "a TNAuthList without an entry (C1, H23)",
        ..LeafPlan::USUAL
    },
    LeafPlan {
        name: "key-p384",
        organization: "Fern Relay",
        spc: "948F",
        key: KeyKind::P384,
        fate: Fate::UnsupportedKey,
        purpose: "a P-384 signing key, which ES256 cannot use (C7, H23)",
        ..LeafPlan::USUAL
    },
    LeafPlan {
        name: "key-rsa",
        organization: "Fern Relay",
        spc: "948F",
        key: KeyKind::Rsa2048Leaf,
        fate: Fate::UnsupportedKey,
        purpose: "an RSA signing key, which ES256 cannot use (C7, H23)",
        ..LeafPlan::USUAL
    },
];
