"""A worker of benches/peers: PyJWT with cryptography, signature and claims."""

import sys
import time
from pathlib import Path

import jwt
from cryptography.hazmat.primitives.serialization import load_pem_public_key

folder = Path(sys.argv[1])
key = load_pem_public_key((folder / "public.pem").read_bytes())
tokens = [line.split(";")[0] for line in (folder / "identities.txt").read_text().splitlines()]


def verify_all():
    for token in tokens:
        claims = jwt.decode(token, key, algorithms=["ES256"], options={"verify_aud": False, "verify_iat": False})
        assert claims["attest"] == "A"


verify_all()
print("ready", flush=True)
for line in sys.stdin:
    passes = int(line)
    began = time.perf_counter()
    for _ in range(passes):
        verify_all()
    print((time.perf_counter() - began) * 1e6 / (passes * len(tokens)), flush=True)
