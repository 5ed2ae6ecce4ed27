// Compiles one changed source after another in one process: `node mutant_compiler.cjs CONTRACTS`. A request is a line of JSON,
// {path, content, targets: ["File.sol:Contract"]}; so is its answer, {bytecode: {target: {creation, runtime}}} or {error}.
"use strict";
const fs = require("fs");
const path = require("path");
const readline = require("readline");

const root = process.argv[2];
const solc = require(path.join(root, "node_modules/solc"));
// Unoptimised, since what a fault does does not depend on it: the old pipeline where the stack suffices, else the new one.
const OLD_PIPELINE = ["PriceOracle.sol:PriceOracle", "test/libraries/BackingMath.t.sol:BackingMathTest"];
const settings = {
  evmVersion: "cancun",
  optimizer: { enabled: false },
  metadata: { bytecodeHash: "none", appendCBOR: false },
  remappings: ["@openzeppelin/=node_modules/@openzeppelin/"],
};

function compileOne(target, read) {
  const [file, name] = target.split(":");
  const outputSelection = { [file]: { [name]: ["evm.bytecode.object", "evm.deployedBytecode.object"] } };
  const input = {
    language: "Solidity",
    sources: { [file]: { content: read(file) } },
    settings: { ...settings, viaIR: !OLD_PIPELINE.includes(target), outputSelection },
  };
  const answer = JSON.parse(solc.compile(JSON.stringify(input), { import: (other) => ({ contents: read(other) }) }));
  const error = (answer.errors || []).find((found) => found.severity === "error");
  if (error) throw new Error(error.message);
  const { evm } = answer.contracts[file][name];
  return { creation: evm.bytecode.object, runtime: evm.deployedBytecode.object };
}

function compile({ path: changed, content, targets }) {
  const read = (file) => (file === changed ? content : fs.readFileSync(path.join(root, file), "utf8"));
  try {
    return { bytecode: Object.fromEntries(targets.map((target) => [target, compileOne(target, read)])) };
  } catch (refused) {
    return { error: refused.message };
  }
}

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  process.stdout.write(JSON.stringify(compile(JSON.parse(line))) + "\n");
});
