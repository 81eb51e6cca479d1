// Compile the contracts to artifacts: the ABI, the bytecode, and the SHA-256 of the standard-JSON input that gives them.
// usage: node compile.js [DIR]   (DIR instead of the repository's root, to compare)
"use strict";
const crypto = require("crypto");
const fs = require("fs");
const path = require("path");
const solc = require("solc");

const root = path.resolve(process.argv[2] || path.join(__dirname, ".."));
const UNITS = [
  { folder: "src", names: ["FlNft", "MuDao", "SealedAuction"], out: "flnft_sim/chain/artifacts" },
  { folder: "test", names: ["ClearingBench", "Hostile"], out: "tests/chain/artifacts" },
];
const SETTINGS = {
  evmVersion: "prague",
  optimizer: { enabled: true, runs: 200 },
  metadata: { bytecodeHash: "none", appendCBOR: false },
  outputSelection: { "*": { "*": ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"] } },
};
const sha256 = (text) => crypto.createHash("sha256").update(text).digest("hex");

// A source and all that it imports, by the names that the compiler asks for: the input then is whole in itself.
function gather(name, file, sources) {
  if (sources[name]) return;
  const content = fs.readFileSync(file, "utf8");
  sources[name] = { content };
  for (const [, wanted] of content.matchAll(/^import\s[^;]*?["']([^"']+)["'];/gm)) {
    const local = wanted.startsWith(".");
    const next = local ? path.posix.join(path.posix.dirname(name), wanted) : wanted;
    gather(next, next.startsWith("@") ? require.resolve(next) : path.join(__dirname, next), sources);
  }
}

function compile({ folder, names }) {
  const sources = {};
  for (const name of names) gather(`${folder}/${name}.sol`, path.join(__dirname, folder, `${name}.sol`), sources);
  const sorted = Object.fromEntries(Object.keys(sources).sort().map((key) => [key, sources[key]]));
  const input = JSON.stringify({ language: "Solidity", sources: sorted, settings: SETTINGS });
  const output = JSON.parse(solc.compile(input));
  const problems = output.errors || [];
  for (const problem of problems) console.error(problem.formattedMessage);
  if (problems.length) process.exit(1);
  return { hash: sha256(input), contracts: names.map((name) => [name, output.contracts[`${folder}/${name}.sol`][name]]) };
}

for (const unit of UNITS) {
  const { hash, contracts } = compile(unit);
  const out = path.join(root, unit.out);
  fs.mkdirSync(out, { recursive: true });
  for (const [name, { abi, evm }] of contracts) {
    const artifact = { contract: name, compiler: solc.version(), input_sha256: hash, abi, bytecode: "0x" + evm.bytecode.object };
    artifact.sha256 = sha256(JSON.stringify([abi, artifact.bytecode]));
    fs.writeFileSync(path.join(out, `${name}.json`), JSON.stringify(artifact, null, 1) + "\n");
    const bytes = (hex) => hex.length / 2;
    console.log(`${name}: ${bytes(evm.bytecode.object)} bytes to deploy, ${bytes(evm.deployedBytecode.object)} on chain`);
  }
}
