// A worker of benches/peers: jose (panva) on node, signature and claims.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { importSPKI, jwtVerify } from "jose";

const folder = process.argv[2];
const key = await importSPKI(readFileSync(`${folder}/public.pem`, "utf8"), "ES256");
const lines = readFileSync(`${folder}/identities.txt`, "utf8").trim().split("\n");
const tokens = lines.map((line) => line.split(";")[0]);

async function verifyAll() {
  for (const token of tokens) {
    const { payload } = await jwtVerify(token, key, { algorithms: ["ES256"], typ: "passport" });
    if (payload.attest !== "A") throw new Error("another token");
  }
}

await verifyAll();
console.log("ready");
for await (const line of createInterface({ input: process.stdin })) {
  const passes = Number(line);
  const began = process.hrtime.bigint();
  for (let pass = 0; pass < passes; pass += 1) await verifyAll();
  console.log(Number(process.hrtime.bigint() - began) / 1e3 / (passes * tokens.length));
}
