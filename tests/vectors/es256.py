"""Writes es256.json: the published cases of ECDSA over P-256 with SHA-256, in one compact form.

    python3 es256.py WYCHEPROOF_DER WYCHEPROOF_P1363 CAVP_SIGVER > es256.json

The first two are `ecdsa_secp256r1_sha256_test.json` and `ecdsa_secp256r1_sha256_p1363_test.json` of Project
Wycheproof; the third is NIST's `SigVer.rsp` or a listing of the same members (qx, qy, data, r, s, result).
A case is its number, the message, the signature, and whether it is valid.
"""
import json
import re
import sys


def wycheproof(path, form):
    groups = []
    for group in json.load(open(path))["testGroups"]:
        cases = [[test["tcId"], test["msg"], test["sig"], test["result"] == "valid"] for test in group["tests"]]
        groups.append({"key": group["publicKey"]["uncompressed"], "form": form, "cases": cases})
    return groups


def cavp(path):
    text = open(path).read()
    section = re.search(r'"P-256".*?"SHA-256"(.*?)"SHA-384"|\[P-256,SHA-256\](.*?)\[P-', text, re.S)
    section = section.group(1) or section.group(2)
    # `name = value` of NIST's own file, `"name": value` elsewhere.
    member = re.compile(r'"?\b(data|Msg|qx|qy|r|s|result)\b"?\s*(?:/\*.*?\*/)?\s*[:=]\s*"?(\w+)', re.I)
    groups, case = [], {}
    for name, value in member.findall(section):
        case[name.lower()] = value
        if name.lower() == "result":
            message = case.get("msg") or case["data"]
            valid = value in ("true", "P")
            point = "04" + case["qx"].zfill(64) + case["qy"].zfill(64)
            signature = case["r"].zfill(64) + case["s"].zfill(64)
            groups.append({"key": point, "form": "raw", "cases": [[len(groups) + 1, message, signature, valid]]})
    return groups


def lines(name, source, groups):
    body = ",\n".join("    " + json.dumps(group, separators=(",", ":")) for group in groups)
    return f'"{name}": {{\n  "source": {json.dumps(source)},\n  "groups": [\n{body}\n  ]\n}}'


der, p1363, sigver = sys.argv[1:]
note = "Project Wycheproof (C2SP/wycheproof, Apache-2.0), testvectors_v1/"
print("{")
print(lines("wycheproof-der", note + "ecdsa_secp256r1_sha256_test.json", wycheproof(der, "der")) + ",")
print(lines("wycheproof-p1363", note + "ecdsa_secp256r1_sha256_p1363_test.json", wycheproof(p1363, "raw")) + ",")
print(lines("cavp", "NIST CAVP, FIPS 186-3 ECDSA, SigVer.rsp, section P-256 with SHA-256 (public domain)", cavp(sigver)))
print("}")
