// Take out what is not used: from a balance into the holder's own wallet, and from there into digital dollars.
import { get, post } from "./api.js";
import { dollars, exact, parse, shown } from "./amounts.js";
import { send } from "./holder.js";
import { KINDS } from "./statement.js";
import { actionButton, card, confirm, el, facts, field, notice, short, when } from "./ui.js";

const SEEN_MS = 1000;
const SEEN_TRIES = 60;
const FEE = "Your wallet app sends it, and the network takes a small fee for that.";

const some = (count, unit) => `${count} ${unit}${count === 1 ? "" : "s"}`;

// How long, in words: "1 hour and 5 minutes". Rounded up, so that nobody comes too early.
export function spell(seconds) {
  const minutes = Math.ceil(seconds / 60);
  if (minutes < 2) return "about a minute";
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  return [hours && some(hours, "hour"), rest && some(rest, "minute")].filter(Boolean).join(" and ");
}

const amountOf = (usd, credits, symbol) => `${shown(credits)} ${symbol}${usd === null ? "" : ` (${dollars(usd)})`}`;

const amounts = (usd, credits, symbol) => [`${shown(credits)} ${symbol}`, usd !== null && el("span", { className: "soft second-line" }, dollars(usd))];

// What was sent counts when it is on record: asked for until it is seen, for a minute.
async function until(path, seen) {
  for (let tries = 0; tries < SEEN_TRIES; tries += 1) {
    if (seen(await get(path))) return true;
    await new Promise((resolve) => { setTimeout(resolve, SEEN_MS); });
  }
  return false;
}

const outsideOf = (balances, token) => balances.find((balance) => balance.token === token)?.outside_nanocredits ?? "0";

const LATE = () => notice("", "It is on its way. This page shows it when it is through; look again in a few minutes.");

async function step(own, body, refresh, done) {
  await send(await post(`/v1/wallet/exits/${own.account}/offer`, body));
  const stands = body.step !== "cancel";
  const seen = await until("/v1/wallet/exits", ({ data }) => Boolean(data.find((each) => each.account === own.account)?.pending) === stands);
  await refresh(seen ? notice("good", done) : LATE());
}

function waiting(own, outside, refresh, wrong) {
  const { pending } = own;
  const symbol = own.symbol ?? "credits";
  const ready = pending.seconds_left <= 0;
  const end = Date.now() + pending.seconds_left * 1000;
  const left = el("strong", {}, spell(pending.seconds_left));
  const finish = actionButton("Finish", async () => {
    await post(`/v1/wallet/exits/${own.account}/execute`);
    const seen = await until("/v1/wallet", ({ balances }) => outsideOf(balances, own.token) !== outside);
    await refresh(seen ? notice("good", "Done: it is in your own wallet now.") : LATE());
  }, { wrong });
  finish.hidden = !ready;
  const timer = setInterval(() => {
    if (ready || !left.isConnected) return clearInterval(timer);
    const seconds = Math.ceil((end - Date.now()) / 1000);
    if (seconds > 0) left.textContent = spell(seconds);
    else {
      clearInterval(timer);
      refresh();
    }
    return undefined;
  }, SEEN_MS);
  return [
    notice(ready ? "good" : "", el("strong", {}, pending.closing ? "Everything is on its way out." : `${amountOf(pending.most_usd, pending.most_credits, symbol)} are on their way out.`), " ",
      ...(ready ? ["The waiting time is over."] : ["Still to wait: ", left, ", until ", when(pending.at), "."])),
    el("p", {}, "Meanwhile no request can use it. Requests that began before are paid first, so it may come to a little less."),
    pending.closing && el("p", {}, "When you finish, every key of this balance ends too."),
    ready && el("p", { className: "soft" }, "Finishing costs you nothing."),
    el("div", { className: "row" }, finish, actionButton("Keep it here after all", async () => {
      if (!(await confirm("Keep it here after all?", `Your keys can spend it again. To take it out later, you wait anew. ${FEE}`, "Keep it here"))) return;
      await step(own, { step: "cancel" }, refresh, "It stays here, ready for your keys.");
    }, { className: "quiet", wrong })),
  ];
}

function begin(own, delay, refresh) {
  const symbol = own.symbol ?? "credits";
  const pick = (value, text, about, checked) => el("label", { className: "pick choice" }, el("input", { type: "radio", name: `what-${own.account}`, value, checked }),
    el("span", {}, text, el("span", { className: "hint second-line" }, about)));
  const amount = el("input", { inputmode: "decimal", autocomplete: "off", value: own.spendable_credits });
  const part = field(`How many ${symbol}`, amount);
  const problem = el("div", {});
  const chosen = () => form.querySelector("input[type=radio]:checked").value;
  const form = el("form", { className: "fields", onsubmit: async (event) => {
    event.preventDefault();
    problem.replaceChildren();
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      const body = { step: chosen() };
      if (body.step === "start") {
        const nanos = parse(amount.value.trim().replace(",", "."), 9);
        if (nanos === null || nanos <= 0n) throw new Error("Write an amount like 12.5.");
        if (nanos > parse(own.spendable_credits, 9)) throw new Error(`There are ${shown(own.spendable_credits)} ${symbol} to take out.`);
        body.credits = exact(nanos, 9);
      }
      await step(own, body, refresh, `Begun. Come back in ${spell(delay)} to finish.`);
    } catch (error) {
      problem.replaceChildren(notice("bad", error.message));
    } finally {
      button.disabled = false;
    }
  } },
  el("fieldset", {}, el("legend", {}, "How much?"), el("div", { className: "choices" },
    pick("start", "An amount", "Your keys stay, and go on with the rest.", true),
    pick("close", "Everything, and close this balance", "Every key of this balance ends with it.", false))),
  part, el("p", { className: "hint" }, `It takes ${spell(delay)}, so that requests under way can still be paid. Nobody can stop it but you. ${FEE}`),
  problem, el("div", {}, el("button", {}, "Begin to take it out")));
  form.addEventListener("change", () => { part.hidden = chosen() === "close"; });
  return form;
}

function accountCard(own, delay, wallet, refresh) {
  const symbol = own.symbol ?? "credits";
  const problem = el("div", {});
  const wrong = (error) => problem.replaceChildren(notice("bad", error.message));
  const any = own.spendable_nanocredits !== "0" || own.held_nanocredits !== "0";
  const title = `${KINDS[own.kind] ?? "Balance"} · ${symbol}`;
  return el("section", { className: "card stack", "aria-label": title }, el("h2", {}, title),
    own.signer !== wallet.holder && el("p", { className: "soft small" }, "For the separate key ", el("code", {}, short(own.signer)), "."),
    facts([
      ["Ready to spend", amounts(own.spendable_usd, own.spendable_credits, symbol)],
      own.held_nanocredits !== "0" && ["Set aside for requests under way", amounts(own.held_usd, own.held_credits, symbol)],
    ]),
    ...(own.pending ? waiting(own, outsideOf(wallet.balances, own.token), refresh, wrong) : any ? [begin(own, delay, refresh)] : [el("p", { className: "soft" }, "There is nothing to take out.")]),
    problem);
}

function changeForm(balance, refresh) {
  const amount = el("input", { inputmode: "decimal", autocomplete: "off", value: balance.outside_credits });
  const problem = el("div", {});
  const form = el("form", { className: "fields", onsubmit: async (event) => {
    event.preventDefault();
    problem.replaceChildren();
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      const nanos = parse(amount.value.trim().replace(",", "."), 9);
      if (nanos === null || nanos <= 0n) throw new Error("Write an amount like 12.5.");
      if (nanos > BigInt(balance.outside_nanocredits)) throw new Error(`You have ${shown(balance.outside_credits)} ${balance.symbol} in your own wallet.`);
      const offer = await post("/v1/wallet/redemptions/offer", { token: balance.token, credits: exact(nanos, 9) });
      if (!(await confirm("Change them into digital dollars?", `You get ${dollars(offer.usd)} for ${shown(offer.credits)} ${balance.symbol}, in your own wallet. ${FEE}`, "Change"))) return;
      await send(offer);
      const seen = await until("/v1/wallet", ({ balances }) => outsideOf(balances, balance.token) !== balance.outside_nanocredits);
      await refresh(seen ? notice("good", `${dollars(offer.usd)} are in your own wallet now.`) : LATE());
    } catch (error) {
      problem.replaceChildren(notice("bad", error.message));
    } finally {
      button.disabled = false;
    }
  } },
  field(`How many ${balance.symbol}`, amount, `${shown(balance.outside_credits)} ${balance.symbol} are there. One is ${dollars(balance.usd_per_credit)}.`),
  problem, el("div", {}, el("button", {}, "Change into digital dollars")));
  return form;
}

export async function render({ refresh }) {
  const [{ data, delay_seconds: delay }, wallet] = await Promise.all([get("/v1/wallet/exits"), get("/v1/wallet")]);
  const outside = wallet.balances.filter((balance) => balance.outside_nanocredits && balance.outside_nanocredits !== "0");
  return [
    el("div", {}, el("h1", {}, "Take out"), el("p", { className: "soft" }, "What you have not used is yours. Take it out at any time: first into your own wallet, and from there into digital dollars.")),
    data.length ? el("div", { className: "grid" }, data.map((own) => accountCard(own, delay, wallet, refresh)))
      : card(null, el("p", {}, "There is nothing to take out. ", el("a", { href: "/wallet/top-up" }, "Top up"), " whenever you like.")),
    card("In your own wallet", ...(outside.length ? outside.map((balance) => changeForm(balance, refresh)) : [el("p", { className: "soft" }, "What you take out of a balance comes here.")])),
    card("Paid by card or bank?", el("p", {}, "What is left of such a top-up goes straight back to the card or the bank, without a wait. ", el("a", { href: "/wallet/top-up" }, "Choose the top-up"), ", then “Take back what is left”.")),
  ];
}
