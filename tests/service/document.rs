//! The OpenAPI document, held to what the handlers do, and run by schemathesis where that is installed.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::Command;

use serde_json::{Value, json};

use crate::stand::{Request, SIGNING, Setup, Stand, VERIFICATION, good, identity, verification_of};

fn document(stand: &Stand) -> Value {
    let answer = stand.get("/openapi.json");
    assert_eq!(answer.header("content-type"), Some("application/json"));
    answer.json()
}

/// What a reference leads to.
fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value.get("$ref").and_then(Value::as_str) {
        Some(reference) => resolved(document, document.pointer(&reference[1..]).expect(reference)),
        None => value,
    }
}

/// The names of an object's members.
fn names(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn it_names_every_route_and_nothing_else() {
    let stand = Stand::plain();
    let document = document(&stand);
    assert_eq!(
        (&document["openapi"], &document["info"]["version"]),
        (&json!("3.1.0"), &json!(env!("CARGO_PKG_VERSION")))
    );
    let routes = [VERIFICATION, SIGNING, "/v1/verify", "/openapi.json", "/health", "/ready", "/metrics"];
    assert_eq!(names(&document["paths"]), routes.into_iter().collect());
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in ["get", "post", "put", "delete", "patch"] {
            let answer = stand.ask(&Request { method: &method.to_uppercase(), ..Request::new(path, b"") });
            let served = answer.code != 405;
            assert_eq!(served, methods.get(method).is_some(), "{method} {path}");
        }
    }
    assert_eq!(stand.get("/").code, 404);
}

#[test]
fn every_reference_leads_somewhere_and_every_schema_is_used() {
    let stand = Stand::plain();
    let document = document(&stand);
    let text = document.to_string();
    let mut used = BTreeSet::new();
    for part in text.split("\"$ref\":\"#").skip(1) {
        let pointer = part.split('"').next().unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer}");
        used.insert(pointer);
    }
    for name in names(&document["components"]["schemas"]) {
        let pointer = format!("/components/schemas/{name}");
        assert!(used.contains(pointer.as_str()), "{name} is used by nothing");
    }
}

/// That a value has no members but those of its schema, and all that it requires.
fn hold(document: &Value, schema: &Value, value: &Value, at: &str) {
    let schema = resolved(document, schema);
    if let Value::Array(items) = value {
        items.iter().for_each(|item| hold(document, &schema["items"], item, at));
    }
    let (Value::Object(members), Some(properties)) = (value, schema.get("properties")) else { return };
    for required in schema["required"].as_array().into_iter().flatten() {
        assert!(members.contains_key(required.as_str().unwrap()), "{at}: {required} is missing in {value}");
    }
    for (name, member) in members {
        match properties.get(name) {
            Some(own) => hold(document, own, member, &format!("{at}.{name}")),
            None => assert_ne!(
                schema.get("additionalProperties"),
                Some(&json!(false)),
                "{at}.{name} is not in the document"
            ),
        }
    }
}

#[test]
fn every_answer_keeps_to_it() {
    let settings = "[service.atis82]\nattestation = true\n[service.limits]\nbody = 4096";
    let stand = Setup::new(settings).authorising(&["ets"], &[]).start();
    let document = document(&stand);
    let bad = identity(json!({"mutate": ["flip-signature-bit"]}));
    let div = identity(json!({"ppt": "div", "signer": "prairie"}));
    let rcd = identity(json!({"ppt": "rcd", "claims": {"crn": "Your delivery"}}));
    let mut several = verification_of(good());
    several["verificationRequest"]["identityHeaders"] = json!([good(), div, bad, rcd]);
    let signing = json!({"signingRequest": {"attest": "A", "dest": {"tn": ["12155550131"]}, "iat": crate::stand::NOW,
        "orig": {"tn": "12155550112"}, "origid": "4f5b1c0e-6a3d-4c2b-9f81-2f6f0c7d9a11", "ppt": "shaken"}});
    let rph = identity(json!({"ppt": "rph"}));
    let mut with_priority = verification_of(good());
    with_priority["verificationRequest"]["identityHeaders"] = json!([good(), rph]);
    with_priority["verificationRequest"]["protectedHeaders"] = json!({"Resource-Priority": "ets.0"});
    let of_type = |members: Value| {
        let mut request =
            json!({"dest": {"tn": ["12155550131"]}, "iat": crate::stand::NOW, "orig": {"tn": "12155550112"}});
        request.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        json!({ "signingRequest": request })
    };
    let asking =
        json!({"identity": [good(), rph], "from": "12155550112", "to": "12155550131", "resource_priority": "wps.0"});
    let call = json!({"identity": [good(), bad, rcd], "from": "12155550112", "to": "12155550131"});
    let requests = [
        (VERIFICATION, verification_of(good()), 200),
        (VERIFICATION, verification_of(bad.clone()), 200),
        (VERIFICATION, several, 200),
        (VERIFICATION, json!({}), 400),
        (VERIFICATION, json!({"verificationRequest": "x".repeat(5000)}), 413),
        (SIGNING, signing, 200),
        (VERIFICATION, with_priority, 200),
        (SIGNING, of_type(json!({"ppt": "div", "div": {"tn": "12155550139"}})), 200),
        (SIGNING, of_type(json!({"ppt": "rph", "rph": {"auth": ["ets.0"]}})), 200),
        (SIGNING, of_type(json!({"ppt": "rph", "rph": {"auth": ["wps.0"]}})), 403),
        ("/v1/verify", asking, 200),
        (SIGNING, json!({"signingRequest": {"attest": "Z"}}), 400),
        ("/v1/verify", call, 200),
        ("/v1/verify", json!({"identity": 7}), 400),
    ];
    for (path, body, code) in requests {
        let answer = stand.post(path, &body);
        assert_eq!(answer.code, code, "{path} {answer:?}");
        let declared = &document["paths"][path]["post"]["responses"][code.to_string()];
        let schema = &declared["content"]["application/json"]["schema"];
        assert!(!schema.is_null(), "{path} {code} is not in the document");
        hold(&document, schema, &answer.json(), path);
        for (name, header) in declared["headers"].as_object().unwrap() {
            let needed = resolved(&document, header)["required"] == true;
            assert!(!needed || answer.header(name).is_some(), "{path} {code}: no {name}");
        }
    }
    for (path, code) in [("/health", 200), ("/ready", 200)] {
        let schema =
            &document["paths"][path]["get"]["responses"][code.to_string()]["content"]["application/json"]["schema"];
        hold(&document, schema, &stand.get(path).json(), path);
    }
}

#[test]
fn every_member_that_it_names_is_read() {
    // What the document says of a member has to be what becomes of it: each, alone and wrong, is refused by its name.
    let stand = Stand::plain();
    let document = document(&stand);
    let requests = [
        (VERIFICATION, "verificationRequest", verification_of(good())),
        (
            SIGNING,
            "signingRequest",
            json!({"signingRequest": {"attest": "A", "dest": {"tn": ["12155550131"]},
            "iat": crate::stand::NOW, "orig": {"tn": "12155550112"}, "origid": "4f5b1c0e-6a3d-4c2b-9f81-2f6f0c7d9a11"}}),
        ),
    ];
    for (path, root, request) in requests {
        let schema = &document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"];
        let members = &resolved(&document, schema)["properties"][root]["properties"];
        for name in names(members) {
            let mut wrong = request.clone();
            wrong[root][name] = json!(true);
            let answer = stand.post(path, &wrong);
            assert_eq!((answer.code, answer.exception().2[0].as_str()), (400, name), "{path} {name}");
        }
    }
}

#[test]
fn schemathesis_finds_nothing() {
    let Some(python) = std::env::var_os("STIRTRACE_PYTHON") else {
        let _ = writeln!(std::io::stderr(), "skipped: STIRTRACE_PYTHON names no Python with schemathesis");
        return;
    };
    let installed = Command::new(&python).args(["-c", "import schemathesis"]).output();
    if !installed.is_ok_and(|output| output.status.success()) {
        let _ = writeln!(std::io::stderr(), "skipped: the Python of STIRTRACE_PYTHON has no schemathesis");
        return;
    }
    let stand = Stand::plain();
    let folder = tempfile::tempdir().unwrap();
    let run = Command::new(&python)
        .args(["-m", "schemathesis.cli", "run"])
        .arg(format!("http://{}/openapi.json", stand.address))
        .args(["--phases", "examples,coverage,fuzzing", "--max-examples", "60", "--seed", "1", "--no-color"])
        // A request that the schema allows may still be refused: an iat that is not now, a value that is no Identity.
        .args(["--exclude-checks", "positive_data_acceptance,negative_data_rejection"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{told}\n{}", String::from_utf8_lossy(&run.stderr));
}
