// Who is signed in, and how that one signs.
import { del, get, post, Refused, useCsrf } from "./api.js";
import { accountOf, forget, onAccountChange, remember, rememberedApp, sendFrom, signText, signTyped, walletApps } from "./wallet_apps.js";

let signedIn;

// Asked once for each page. Null where nobody is signed in.
export async function holder() {
  if (signedIn === undefined) {
    try {
      keep(await get("/v1/wallet/sign-in"));
    } catch (error) {
      if (!(error instanceof Refused && error.status === 401)) throw error;
      signedIn = null;
    }
  }
  return signedIn;
}

function keep(answer) {
  signedIn = answer;
  useCsrf(answer.csrf);
}

export async function signInWith(app) {
  const account = await accountOf(app);
  const { message } = await post(`/v1/wallet/sign-in/nonce?address=${account}`);
  const signature = await signText(app, account, message);
  keep(await post("/v1/wallet/sign-in", { message, signature }));
  remember(app);
}

export async function signInAsDev(key) {
  keep(await post("/v1/wallet/sign-in/dev", { key }));
  forget();
}

export async function signOut() {
  await del("/v1/wallet/sign-in");
  forget();
  location.assign("/wallet");
}

// The one who signed in by the test key has no app: the test gateway signs for that key, which everybody knows.
export async function signature(typedData) {
  const app = await ownApp();
  if (app) return signTyped(app, signedIn.holder, typedData);
  return (await post("/v1/wallet/sign-in/dev/signature", { typed_data: typedData })).signature;
}

// What the holder's own wallet sends itself, as it was offered. Done where it is through; an app tells only that it has sent it.
export async function send({ chain_id: chainId, transaction }) {
  const app = await ownApp();
  if (app) return sendFrom(app, signedIn.holder, chainId, transaction);
  return post("/v1/wallet/sign-in/dev/transaction", { to: transaction.to, data: transaction.data });
}

// A moment for apps to announce themselves after the page has loaded.
async function ownApp() {
  for (let tries = 0; tries < 10; tries += 1) {
    const app = rememberedApp();
    if (app || !localStorage.getItem("mintery-wallet-app")) return app;
    await new Promise((resolve) => { setTimeout(resolve, 100); });
  }
  throw new Error("Your wallet app does not answer. Open or unlock it, then reload this page.");
}

const watched = new WeakSet();

// Calls back when the app that signed in here shows another account.
export function watchAccount(listener) {
  for (const app of walletApps().filter((each) => each === rememberedApp() && !watched.has(each.provider))) {
    watched.add(app.provider);
    onAccountChange(app, (account) => {
      if (account === null || account.toLowerCase() !== signedIn?.holder.toLowerCase()) listener(account);
    });
  }
}
