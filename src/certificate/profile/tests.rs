use crate::certificate::der::Tag;
use crate::certificate::forge::{CRL_SIGN, DIGITAL_SIGNATURE, Draft, Issued, KEY_CERT_SIGN, Key};
use crate::certificate::forge::{element, name, object_identifier, sequence};
use crate::certificate::profile::*;

const SPC_1234: &[u8] = &[0x30, 8, 0xa0, 6, 0x16, 4, b'1', b'2', b'3', b'4'];
const POLICY: &str = "2.16.840.1.114569.1.1.4";

fn root() -> Issued {
    Draft { usage: Some(KEY_CERT_SIGN), ..authority("SHAKEN ROOT") }.with_subject_key(&[1; 20]).self_signed()
}

fn authority(common_name: &str) -> Draft {
    Draft { subject: name_with_organization(common_name), ..Draft::authority(common_name) }
}

/// A draft that keeps to the profile, TNAuthList apart.
fn plain(common_name: &str) -> Draft {
    complete(Draft { subject: name_with_organization(common_name), ..Draft::leaf(common_name) })
}

fn complete(draft: Draft) -> Draft {
    draft
        .with_subject_key(&[2; 20])
        .with_authority_key(&[1; 20])
        .with("2.5.29.32", false, &policies(&[POLICY]))
        .with_crl_issuer("https://crl.example/sti.crl", &name("STI-PA CRL"))
}

fn policies(all: &[&str]) -> Vec<u8> {
    sequence(&all.iter().map(|policy| sequence(&[object_identifier(policy)])).collect::<Vec<_>>())
}

fn name_with_organization(common_name: &str) -> Vec<u8> {
    let fields = sequence(&[object_identifier("2.5.4.10"), element(Tag::UTF8_STRING, b"Twill Communications")]);
    let content = [&name(common_name)[2..], &element(Tag::SET, &fields)].concat();
    element(Tag::SEQUENCE, &content)
}

fn rules(draft: Draft) -> Vec<(&'static str, Severity)> {
    let issued = draft.issued_by(&root());
    lint(&issued.certificate).into_iter().map(|finding| (finding.rule, finding.severity)).collect()
}

fn leaf_rules(draft: Draft) -> Vec<(&'static str, Severity)> {
    rules(draft.with_tn_auth_list(SPC_1234))
}

#[test]
fn roles_are_told_from_the_certificate_alone() {
    let root = root();
    let ca = Draft::authority("SHAKEN CA").issued_by(&root);
    let leaf = Draft::leaf("SHAKEN 1234").issued_by(&ca);
    assert_eq!(Role::of(&root.certificate), Role::Root);
    assert_eq!(Role::of(&ca.certificate), Role::Ca);
    assert_eq!(Role::of(&leaf.certificate), Role::Leaf);
    assert_eq!(Role::of(&Draft::leaf("self").self_signed().certificate), Role::Leaf);
}

#[test]
fn certificates_that_keep_to_the_profile_have_no_finding() {
    assert_eq!(leaf_rules(plain("SHAKEN 1234")), []);
    assert_eq!(lint(&root().certificate), []);
    assert_eq!(rules(complete(Draft { usage: Some(KEY_CERT_SIGN), ..authority("SHAKEN CA") })), []);
}

#[test]
fn each_departure_of_a_leaf_is_found_under_its_rule() {
    let plain = || plain("SHAKEN 1234");
    let warning = |rule| vec![(rule, Severity::Warning)];
    // F12
    assert_eq!(leaf_rules(Draft { serial: 0x1234_5678, ..plain() }), warning("F12"));
    assert_eq!(leaf_rules(Draft { serial: 0, ..plain() }), warning("F12"));
    assert_eq!(leaf_rules(Draft { null_parameters: true, ..plain() }), warning("F12"));
    assert_eq!(leaf_rules(Draft { key: Key::p384(), ..plain() }), warning("F12"));
    // F13
    assert_eq!(leaf_rules(Draft { subject: name("SHAKEN 1234"), ..plain() }), warning("F13"));
    // F14
    assert_eq!(leaf_rules(Draft { usage: Some(DIGITAL_SIGNATURE | 0x40), ..plain() }), warning("F14"));
    assert_eq!(leaf_rules(Draft { usage: None, ..plain() }), warning("F14"));
    assert_eq!(leaf_rules(Draft { basic: None, ..plain() }), warning("F14"));
    // F19
    assert_eq!(leaf_rules(plain().with("2.5.29.37", false, &[0x30, 0])), warning("F19"));
    // F15 to F18
    let bare = Draft { subject: name_with_organization("SHAKEN 1234"), ..Draft::leaf("") };
    let found: Vec<&str> = rules(bare).into_iter().map(|(rule, _)| rule).collect();
    assert_eq!(found, ["F15", "F15", "F16", "F17", "F18"]);
}

#[test]
fn the_code_of_the_tn_auth_list_counts_against_the_common_name() {
    // G20.
    let found = leaf_rules(plain("Twin Elms SHAKEN 1840"));
    assert_eq!(found, [("F13", Severity::Warning), ("G20", Severity::Warning)]);
    assert_eq!(leaf_rules(plain("Twin Elms SHAKEN 1234")), [("F13", Severity::Warning)]);
    assert_eq!(leaf_rules(plain("SHAKEN")), [("F13", Severity::Warning)]);
}

#[test]
fn policies_outside_the_shaken_arc_and_several_of_them_are_found() {
    // F16.
    let with = |all: &[&str]| {
        let draft = Draft { subject: name_with_organization("SHAKEN 1234"), ..Draft::leaf("") };
        let draft = draft.with_subject_key(&[2; 20]).with_authority_key(&[1; 20]);
        let draft = draft.with_crl_issuer("https://crl.example/sti.crl", &name("STI-PA CRL"));
        leaf_rules(draft.with("2.5.29.32", false, &policies(all)))
    };
    assert_eq!(with(&["2.16.840.1.114569.1.1.1"]), []);
    assert_eq!(with(&["2.5.29.32.0"]), [("F16", Severity::Warning)]);
    assert_eq!(with(&[POLICY, POLICY]), [("F16", Severity::Warning)]);
    // CP 1.3 wants a serialNumber in the subject.
    assert_eq!(with(&["2.16.840.1.114569.1.1.3"]), [("F13", Severity::Notice)]);
}

#[test]
fn tn_auth_lists_beyond_one_code_are_found() {
    // F18.
    let with = |der: &[u8]| rules(plain("SHAKEN 1234").with_tn_auth_list(der));
    assert_eq!(with(&[0x30, 0]), [("F18", Severity::Warning)]);
    let lower = [0x30, 8, 0xa0, 6, 0x16, 4, b'1', b'2', b'3', b'k'];
    assert!(with(&lower).contains(&("F18", Severity::Warning)));
    let numbers = [0x30, 15, 0xa2, 13, 0x16, 11, 49, 50, 49, 53, 53, 53, 53, 48, 49, 48, 48];
    assert_eq!(with(&numbers), [("F18", Severity::Notice)]);
    let critical = plain("SHAKEN 1234").with(TnAuthList::OBJECT_IDENTIFIER, true, SPC_1234);
    assert_eq!(rules(critical), [("C1", Severity::Warning)]);
}

#[test]
fn what_an_older_edition_admits_is_only_a_notice() {
    // F14: v004 let authorities sign CRLs.
    let older = complete(Draft { usage: Some(KEY_CERT_SIGN | CRL_SIGN), ..authority("SHAKEN CA") });
    assert_eq!(rules(older), [("F14", Severity::Notice)]);
}

#[test]
fn claim_constraints_that_do_not_work_are_found() {
    // C8, C9, C11.
    let must_exclude = vec!["iat".to_owned()];
    let void = ClaimConstraints { must_exclude, ..ClaimConstraints::default() }.to_der();
    let draft = || plain("SHAKEN 1234");
    let enhanced = draft().with(ClaimConstraints::ENHANCED_OBJECT_IDENTIFIER, false, &void);
    assert_eq!(leaf_rules(enhanced.clone()), [("C11", Severity::Warning)]);
    let both = enhanced.with(ClaimConstraints::OBJECT_IDENTIFIER, false, &void);
    assert_eq!(leaf_rules(both), [("C9", Severity::Warning)]);
    let wrong = draft().with(ClaimConstraints::OBJECT_IDENTIFIER, false, &[0x30, 0]);
    assert_eq!(leaf_rules(wrong), [("C8", Severity::Warning)]);
    let unreadable = draft().with("2.5.29.17", false, &[0x04]);
    assert_eq!(leaf_rules(unreadable), [("F19", Severity::Warning)]);
}
