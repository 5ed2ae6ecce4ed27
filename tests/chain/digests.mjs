// A line of JSON {domain, types, primaryType, message} in, its EIP-712 digest by viem out, until the input ends.
// The first argument is the directory whose node_modules hold viem.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const { hashTypedData } = createRequire(`${process.argv[2]}/package.json`)("viem");

const numbersOf = (members, message) =>
  Object.fromEntries(
    members.map(({ name, type }) => [name, type.startsWith("uint") ? BigInt(message[name]) : message[name]]),
  );

for await (const line of createInterface({ input: process.stdin })) {
  const { domain, types, primaryType, message } = JSON.parse(line);
  const digest = hashTypedData({
    domain: { ...domain, chainId: BigInt(domain.chainId) },
    types,
    primaryType,
    message: numbersOf(types[primaryType], message),
  });
  process.stdout.write(`${digest}\n`);
}
