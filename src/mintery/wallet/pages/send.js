// Send credits from the holder's own wallet to another person's.
import { get, post } from "./api.js";
import { dollars, exact, parse, shown } from "./amounts.js";
import { holder, signature } from "./holder.js";
import { actionButton, card, copyButton, dialog, el, facts, field, notice, options, short } from "./ui.js";

const PEOPLE = "mintery-people";

// Addresses that this browser has sent to, with the names given to them. Kept here alone.
const people = () => JSON.parse(localStorage.getItem(PEOPLE) ?? "{}");
const keepPerson = (address, name) => localStorage.setItem(PEOPLE, JSON.stringify({ ...people(), [address.toLowerCase()]: name }));

const ends = (address) => `${address.slice(2, 6)}${address.slice(-4)}`.toLowerCase();

// People compare the first and last few letters of an address, so those who would be mistaken for another make theirs alike there.
export function lookAlike(address, known) {
  const wanted = address.toLowerCase();
  return Object.keys(known).find((other) => other.toLowerCase() !== wanted && (ends(other) === ends(wanted)
    || other.slice(2, 8).toLowerCase() === wanted.slice(2, 8) || other.slice(-6).toLowerCase() === wanted.slice(-6))) ?? null;
}

const SHAPE = /^0x[0-9a-fA-F]{40}$/;

export function checkAddress(text, own) {
  const address = text.trim();
  if (!address) return "Write the address of the one who is to receive the credits.";
  if (/^0x/i.test(address) && address.length !== 42) return `An address has 42 letters and digits; this one has ${address.length}.`;
  if (!SHAPE.test(address)) return "An address begins with 0x, and 40 digits or letters from a to f follow.";
  if (address.toLowerCase() === own.toLowerCase()) return "This is your own address.";
  return null;
}

function spaced(address) {
  return el("code", {}, address.slice(0, 2), ...address.slice(2).match(/.{4}/g).flatMap((part) => [" ", part]));
}

async function review(balance, to, credits, name) {
  const known = { ...people(), [(await holder()).holder]: "yourself" };
  const alike = lookAlike(to, known);
  const first = !(to.toLowerCase() in people());
  const problem = el("div", {});
  const sure = alike && el("label", { className: "pick" }, el("input", { type: "checkbox" }), el("span", {}, "I have compared every letter with the one who gave me this address."));
  const worth = exact(parse(credits, 9) * parse(balance.usd_per_credit, 6), 15);
  const send = actionButton("Sign and send", async () => {
    const move = { kind: "send", token: balance.token, to, credits };
    const offer = await post("/v1/wallet/moves/offer", move);
    const answer = await post("/v1/wallet/moves", { ...move, salt: offer.salt, valid_before: offer.valid_before, signature: await signature(offer.typed_data) });
    keepPerson(to, name || people()[to.toLowerCase()] || "");
    asked.box.close(answer.status);
  }, { wrong: (error) => problem.replaceChildren(notice("bad", error.message)) });
  if (sure) {
    send.disabled = true;
    sure.querySelector("input").addEventListener("change", (event) => { send.disabled = !event.target.checked; });
  }
  const asked = dialog("Look again before you send", [
    facts([["You send", `${shown(credits)} ${balance.symbol}`], ["Worth", dollars(worth)]]),
    el("p", {}, "To ", name || people()[to.toLowerCase()] || "this address", ":", el("br"), spaced(to)),
    alike && notice("bad", el("strong", {}, "This address looks like another one that you know, and is not it."),
      el("p", {}, "Known, as ", known[alike] || "one you sent to before", ": ", spaced(alike)), sure),
    !alike && first && notice("warn", "You have never sent to this address from this browser. Nobody can take a payment back: compare every letter."),
    problem,
    el("div", { className: "row" }, send),
  ]);
  return asked.closed;
}

export async function render({ refresh }) {
  const wallet = await get("/v1/wallet");
  const { holder: own } = await holder();
  const balances = wallet.balances.filter((balance) => balance.outside_nanocredits && balance.outside_nanocredits !== "0");
  const heading = el("div", {}, el("h1", {}, "Send"), el("p", { className: "soft" }, "Give credits to another person. They arrive in that person's own wallet."));
  const mine = card("To receive", el("p", {}, "Give this address to whoever sends you credits:"), el("code", { className: "secret" }, own), el("div", {}, copyButton(own, "Your address")));
  if (!balances.length) {
    return [heading, card("Nothing to send", el("p", {}, "Only credits in your own wallet can be sent, and there are none. When you top up, choose “Keep in my own wallet” for credits that you want to send.")), mine];
  }
  const choose = el("select", {}, options(new URLSearchParams(location.search).get("token"), ...balances.map((each) => [each.token, `${each.symbol} (${shown(each.outside_credits)} to send)`])));
  const to = el("input", { autocomplete: "off", spellcheck: "false", autocapitalize: "off", required: true });
  const amount = el("input", { inputmode: "decimal", autocomplete: "off", required: true });
  const name = el("input", { autocomplete: "off", maxlength: "40" });
  const problem = el("div", {});
  const wrong = (input, text) => {
    input.setAttribute("aria-invalid", "true");
    problem.replaceChildren(notice("bad", text));
    input.focus();
  };
  const form = el("form", { className: "fields", novalidate: true, onsubmit: async (event) => {
    event.preventDefault();
    for (const input of [to, amount]) input.removeAttribute("aria-invalid");
    problem.replaceChildren();
    const balance = balances.find((each) => each.token === choose.value);
    const fault = checkAddress(to.value, own);
    if (fault) return wrong(to, fault);
    const credits = amount.value.trim().replace(",", ".");
    const nanos = parse(credits, 9);
    if (nanos === null || nanos <= 0n) return wrong(amount, "Write an amount like 12.5.");
    if (nanos > BigInt(balance.outside_nanocredits)) return wrong(amount, `You have ${shown(balance.outside_credits)} ${balance.symbol} to send.`);
    const receiver = to.value.trim();
    const status = await review(balance, receiver, credits, name.value.trim());
    if (!status) return undefined;
    return refresh(notice("good", status === "done" ? `Sent ${shown(credits)} ${balance.symbol} to ${short(receiver)}.` : "On its way. It arrives in a minute or so."));
  } },
  field("What to send", choose), field("To the address", to, "Paste it: nobody types one without a slip."),
  field("How much", amount), field("A name for this person (optional)", name, "Kept in this browser alone, so that you know the address again."),
  problem, el("div", {}, el("button", {}, "Look it over")));
  return [heading, card("Send credits", form), mine];
}
