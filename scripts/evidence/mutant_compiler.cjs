// Compiles one changed source after another in one process: `node mutant_compiler.cjs CONTRACTS`. A request is a line of JSON,
// {path, content, targets: ["File.sol:Contract"]}; so is its answer, {bytecode: {target: {creation, runtime}}} or {error}.
"use strict";
const fs = require("fs");
const path = require("path");
const readline = require("readline");

const root = process.argv[2];
const solc = require(path.join(root, "node_modules/solc"));
// Unoptimised, since what a fault does does not depend on it, and by the old pipeline, which takes an eighth of the new one's
// time. It has no room on the stack for a few lines, so these are written differently before; a fault in one of them takes
// the new pipeline.
const LESS_STACK = {
  "ReserveVault.sol": [
    ["        IAuthorizations asset = IAuthorizations(address(ASSET));\n", ""],
    [
      "asset.receiveWithAuthorization(payer, address(this), assets, validAfter, validBefore, nonce, signature);",
      `_callAsset(abi.encodeWithSignature(
        "receiveWithAuthorization(address,address,uint256,uint256,uint256,bytes32,bytes)",
        payer, address(this), assets, validAfter, validBefore, nonce, signature
      ));`,
    ],
    [
      "asset.receiveWithAuthorization(payer, address(this), assets, validAfter, validBefore, nonce, v, r, s);",
      `_callAsset(bytes.concat(
        abi.encodeWithSignature(
          "receiveWithAuthorization(address,address,uint256,uint256,uint256,bytes32,uint8,bytes32,bytes32)",
          payer, address(this), assets
        ),
        abi.encode(validAfter, validBefore, nonce),
        abi.encode(v, r, s)
      ));`,
    ],
    [
      "    function _receive(",
      `    function _callAsset(bytes memory call_) private {
        (bool taken, bytes memory answer) = address(ASSET).call(call_);
        if (!taken) assembly { revert(add(answer, 32), mload(answer)) }
    }
    function _receive(`,
    ],
  ],
  "SpendEscrow.sol": [
    [
      "_burnLine(voucher, spentAfter, voucher.signerOf(separator, r, vs))",
      "_recoverAndBurn(voucher, separator, spentAfter, r, vs)",
    ],
    [
      "    function _openBatch(",
      `    function _recoverAndBurn(
        Vouchers.Voucher memory voucher, bytes32 separator, uint96 spentAfter, bytes32 r, bytes32 vs
    ) private returns (LineStatus, uint96) {
        return _burnLine(voucher, spentAfter, voucher.signerOf(separator, r, vs));
    }
    function _openBatch(`,
    ],
  ],
};
const settings = {
  evmVersion: "cancun",
  optimizer: { enabled: false },
  metadata: { bytecodeHash: "none", appendCBOR: false },
  remappings: ["@openzeppelin/=node_modules/@openzeppelin/"],
};

// Null where the source is not what the list above says.
function withLessStack(file, source) {
  for (const [from, to] of LESS_STACK[file] || []) {
    if (!source.includes(from)) return null;
    source = source.replace(from, () => to);
  }
  return source;
}

function compileOne(target, original) {
  const [file, name] = target.split(":");
  const flat = withLessStack(file, original(file));
  const read = (other) => (other === file && flat !== null ? flat : original(other));
  const outputSelection = { [file]: { [name]: ["evm.bytecode.object", "evm.deployedBytecode.object"] } };
  const input = {
    language: "Solidity",
    sources: { [file]: { content: read(file) } },
    settings: { ...settings, viaIR: flat === null, outputSelection },
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
