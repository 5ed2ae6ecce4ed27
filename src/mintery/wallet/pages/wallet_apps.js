// Wallet apps that announce themselves to a page (EIP-6963), and what is asked of them. Each refusal becomes words for people.
import { short } from "./ui.js";

const REMEMBERED = "mintery-wallet-app";
const found = new Map();
const listeners = new Set();

export class Declined extends Error {
  constructor() { super("You declined in your wallet app. Nothing happened."); }
}
export class WrongNetwork extends Error {}
export class WrongAccount extends Error {}

window.addEventListener("eip6963:announceProvider", ({ detail }) => {
  if (!detail?.info?.uuid || found.has(detail.info.uuid)) return;
  found.set(detail.info.uuid, detail);
  for (const listener of listeners) listener();
});
window.dispatchEvent(new Event("eip6963:requestProvider"));

export const walletApps = () => [...found.values()];

// Apps may announce themselves at any time: called now, and for each that comes later.
export function onWalletApps(listener) {
  listeners.add(listener);
  listener();
}

export const remember = (app) => localStorage.setItem(REMEMBERED, app.info.rdns);
export const forget = () => localStorage.removeItem(REMEMBERED);
export const rememberedApp = () => walletApps().find(({ info }) => info.rdns === localStorage.getItem(REMEMBERED)) ?? null;

async function request(app, method, params = []) {
  try {
    return await app.provider.request({ method, params });
  } catch (error) {
    if (error?.code === 4001) throw new Declined();
    if (error?.code === -32002) throw new Error("Your wallet app is waiting for you: open it, then answer its question.");
    throw Object.assign(new Error(`Your wallet app says: ${error?.message ?? error}`), { code: error?.code });
  }
}

export async function accountOf(app) {
  const [account] = await request(app, "eth_requestAccounts");
  if (!account) throw new Declined();
  return account;
}

const hexOf = (text) => `0x${[...new TextEncoder().encode(text)].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;

export const signText = (app, account, text) => request(app, "personal_sign", [hexOf(text), account]);

// The app must show the account that is signed in here, on the network that the credits are on; else nothing is asked of it.
async function ownAccount(app, holder, chainId) {
  const account = await accountOf(app);
  if (account.toLowerCase() !== holder.toLowerCase()) {
    throw new WrongAccount(`Your wallet app shows the account ${short(account)}, and you are signed in as ${short(holder)}. Switch back in your wallet app, or sign out and in again.`);
  }
  await useNetwork(app, chainId);
  return account;
}

export async function signTyped(app, holder, typedData) {
  const account = await ownAccount(app, holder, typedData.domain.chainId);
  return request(app, "eth_signTypedData_v4", [account, JSON.stringify(typedData)]);
}

// What only the holder's own wallet may send, and pays the network's fee for.
export async function sendFrom(app, holder, chainId, transaction) {
  await ownAccount(app, holder, chainId);
  try {
    return await request(app, "eth_sendTransaction", [transaction]);
  } catch (error) {
    if (/insufficient funds/i.test(error.message)) throw new Error("Your wallet app cannot pay the network's small fee: it has too little of the network's own coin.");
    throw error;
  }
}

async function useNetwork(app, chainId) {
  const wanted = `0x${BigInt(chainId).toString(16)}`;
  const matches = async () => BigInt(await request(app, "eth_chainId")) === BigInt(chainId);
  if (await matches()) return;
  try {
    await request(app, "wallet_switchEthereumChain", [{ chainId: wanted }]);
  } catch (error) {
    if (error instanceof Declined) throw error;
    throw new WrongNetwork(`Your wallet app is set to another network. Choose the network with the number ${chainId} in it, then try again.`);
  }
  if (!(await matches())) throw new WrongNetwork(`Your wallet app stayed on another network. Choose the network with the number ${chainId} in it, then try again.`);
}

export function onAccountChange(app, listener) {
  app.provider.on?.("accountsChanged", (accounts) => listener(accounts[0] ?? null));
}
