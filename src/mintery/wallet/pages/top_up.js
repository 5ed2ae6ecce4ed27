// Top up: say how much, pay, and see at every moment where the money is and which balance rose.
import { get, post } from "./api.js";
import { dollars, exact, nano, parse, shown } from "./amounts.js";
import { signature } from "./holder.js";
import { openReceipt } from "./receipt.js";
import { KINDS } from "./statement.js";
import { actionButton, card, confirm, copyButton, dialog, el, facts, field, notice, options, table, tag, when } from "./ui.js";

const EVERY_MS = 2000;
const QUICK = ["5", "20", "50", "100"];
const RAILS = {
  card: { name: "Card", about: "You pay on the card service's own page; your balance rises a moment later." },
  bank: { name: "Bank transfer", about: "Takes one to three working days. A person looks at it before your balance rises." },
  chain: { name: "Digital dollars", about: "From your own wallet; you sign once. Your balance rises within a minute." },
};
const STATES = {
  pending: ["", "Waiting for your payment"],
  paid: ["good", "Paid"],
  expired: ["warn", "Expired"],
  failed: ["bad", "Failed"],
  manual_review: ["warn", "A person is looking at it"],
  refunded: ["", "Paid back"],
  disputed: ["warn", "Disputed"],
};
const EXPLAINED = {
  pending: "Nothing was taken yet.",
  expired: "It was not paid in time. A payment that still comes is not lost: by card it goes back by itself, otherwise a person looks at it.",
  failed: "The payment did not go through. Nothing was taken, or it goes back by itself.",
  manual_review: "Your payment has arrived. A person looks at it, usually within one working day; then your balance rises, or the money goes back.",
  refunded: "The money went back the way it came.",
  disputed: "Your bank is asking for this payment back. What is left of it cannot be used or paid back until your bank has decided.",
};
const ARRIVED = { top_up: "account", deposit: "account", mint: "wallet" };

const money = (text) => {
  const value = parse(text.trim().replace(",", ".").replace(/^\$/, ""), 6);
  return value !== null && value > 0n ? exact(value, 6) : null;
};

const balanceName = (project) => (project ? `${KINDS[project.kind]}: ${project.symbol}` : "Balance");

// What has come, and where it is: the last step that is done counts.
function arrived(order) {
  const done = (order.on_chain ?? []).filter((call) => call.status === "done" && call.kind in ARRIVED);
  return done.length ? { credits: done.at(-1).credits, into: ARRIVED[done.at(-1).kind] } : null;
}


export function statusTag(order) {
  const [kind, text] = STATES[order.status] ?? ["", order.status];
  return tag(kind, text);
}


// ── one top-up ──

function payParts(order, refresh) {
  if (order.status !== "pending") return [];
  const cancel = order.rail === "chain" ? null : actionButton("Give it up", async () => {
    if (!(await confirm("Give up this top-up?", "Nothing was taken. You can begin another one at any time.", "Give it up"))) return;
    await post(`/v1/wallet/orders/${order.id}/cancel`);
    await refresh();
  }, { className: "quiet" });
  if (order.rail === "card") {
    return [el("div", { className: "row" }, order.page && el("a", { className: "button", href: order.page }, `Pay ${dollars(order.asked_usd)} by card`), cancel)];
  }
  if (order.rail === "bank") {
    return [
      el("p", {}, `Send ${dollars(order.asked_usd)} with exactly this reference, or nobody can tell whose it is:`),
      el("div", { className: "row" }, el("code", { className: "secret", id: "bank-reference" }, order.reference), copyButton(order.reference, "Reference")),
      el("pre", { className: "secret small", tabindex: "0" }, order.bank_details),
      el("div", { className: "row" }, cancel),
    ];
  }
  return [el("p", {}, "You have signed it. It is carried out now; this takes up to a minute.")];
}

// What of an order could not be done yet, or ever, and where the credits are meanwhile.
const HELD_UP = {
  mint: { under_way: "Your credits could not be created yet. It is tried again by itself.", failed: "Your credits could not be created. Somebody looks into it." },
  deposit: {
    under_way: "Your credits are in your own wallet and could not be put into your balance yet. It is tried again by itself, as long as they stay there.",
    failed: "Your credits are in your own wallet: they could not be put into your balance. You can make them spendable there.",
  },
  top_up: { under_way: "It could not be carried out yet. It is tried again by itself until it expires.", failed: "It was not carried out, and nothing was paid." },
};
const TAKEN_BACK = {
  under_way: "on its way",
  released: "on its way",
  in_wallet: "in your own wallet",
  owed: "being paid back",
  not_collected: "not paid back: it is in your own wallet",
  failed: "not taken back: it is in your balance",
};

function heldUp(order) {
  return order.on_chain.filter((call) => call.why && HELD_UP[call.kind]?.[call.status]).map((call) => HELD_UP[call.kind][call.status]);
}

async function lotUses(lot) {
  const { data } = await get(`/v1/wallet/lots/${lot.id}/requests`);
  const asked = dialog("Requests that used this top-up", [
    data.length ? table("Requests that used this top-up", [{ name: "When" }, { name: "What" }, { name: "Used of it", number: true }], data.map((use) => [
      when(use.at),
      use.request ? el("button", { type: "button", className: "link", onclick: () => openReceipt(use.request) }, "Request") : "Paid back to you",
      shown(use.used_credits),
    ])) : el("p", { className: "soft" }, "None has used it yet."),
  ]);
  await asked.closed;
}

// What is left of a top-up comes back whole: by the card or bank that it was paid with, or into the holder's own wallet.
async function takeBack(order, symbol, way, refresh) {
  const left = nano(String(leftToTakeBack(order)));
  const where = way === "rail" ? "the way it was paid" : "into your own wallet";
  if (!(await confirm("Take back what is left?", `${shown(left)} ${symbol} go back ${where}. No request can use them from now on.`, "Take it back"))) return;
  const asked = { way, credits: left };
  if (way === "rail") {
    const offer = await post(`/v1/wallet/lots/${order.lot.id}/refund/offer`, asked);
    asked.signed = { ...offer.signed, signature: await signature(offer.typed_data) };
  }
  await post(`/v1/wallet/lots/${order.lot.id}/refund`, asked);
  takenOf.set(order.lot.id, order.lot.remaining_nanocredits);
  await refresh();
}

// Lots that something was taken back of here, with what they had then: that is told again until it is booked.
const takenOf = new Map();

// What is asked back is still counted as left until it has gone.
function leftToTakeBack(order) {
  if (takenOf.get(order.lot.id) === order.lot.remaining_nanocredits) return 0n;
  const asked = order.taken_back.filter(({ status }) => status === "under_way").reduce((sum, each) => sum + BigInt(each.refund_nanocredits), 0n);
  return BigInt(order.lot.remaining_nanocredits) - asked;
}

function orderParts(order, project, refresh) {
  const got = arrived(order);
  const name = balanceName(project);
  const symbol = project?.symbol ?? "credits";
  return [
    el("div", { className: "row between" }, el("div", { className: "big" }, dollars(order.paid_usd ?? order.asked_usd)), statusTag(order)),
    ...heldUp(order).map((words) => notice("warn", words)),
    order.status === "paid" && !got && !heldUp(order).length && notice("", el("strong", {}, "Your payment has arrived."), " Your balance rises in the next minute."),
    got && notice("good", el("strong", {}, got.into === "account" ? `Your ${project ? KINDS[project.kind].toLowerCase() : "balance"} rose by ${shown(got.credits)} ${symbol}.` : `${shown(got.credits)} ${symbol} came into your own wallet.`)),
    EXPLAINED[order.status] && el("p", {}, EXPLAINED[order.status], order.why ? ` (${order.why}.)` : ""),
    ...payParts(order, refresh),
    facts([
      ["Paid by", RAILS[order.rail].name],
      ["Goes into", got?.into === "wallet" ? "Your own wallet" : name],
      ["Begun", when(order.placed_at)],
      order.status === "pending" && ["Waits until", when(order.expires_at)],
      order.paid_at && ["Paid", when(order.paid_at)],
      order.lot && ["Left of it", `${shown(order.lot.remaining_credits)} of ${shown(order.lot.amount_credits)} ${symbol}`],
      ...order.taken_back.map((back) => ["Taken back", `${shown(back.refund_credits)} ${symbol}, ${TAKEN_BACK[back.status]}`]),
      ...order.refunds.map((refund) => [refund.done_at ? "Paid back" : "Being paid back", dollars(refund.refund_usd)]),
      ["Number", el("code", {}, order.id)],
    ]),
    order.lot && el("div", { className: "row" }, actionButton("Which requests used it?", () => lotUses(order.lot), { className: "quiet" }),
      order.status !== "disputed" && leftToTakeBack(order) > 0n && actionButton("Take back what is left", () => takeBack(order, symbol, order.rail === "chain" ? "wallet" : "rail", refresh), { className: "danger" })),
  ].filter(Boolean);
}

async function showOrder(id, projects) {
  const place = el("div", { className: "stack" });
  let last = "";
  const draw = async () => {
    const order = await get(`/v1/wallet/orders/${id}`);
    const text = JSON.stringify(order);
    // What has not changed is not drawn anew: a screen reader would read it again.
    if (text !== last) place.replaceChildren(...orderParts(order, projects.find((each) => each.token === order.token), draw));
    last = text;
    return order;
  };
  const order = await draw();
  if (order.rail === "card" && order.status === "pending") post(`/v1/wallet/orders/${id}/check`).then(draw, () => {});
  setInterval(() => {
    if (!document.hidden && place.isConnected) draw().catch(() => {}); // it is asked again soon
  }, EVERY_MS);
  return [
    el("div", {}, el("a", { href: "/wallet/top-up" }, "All top-ups"), el("h1", {}, "Your top-up")),
    el("section", { className: "card stack", "aria-label": "Top-up", "aria-live": "polite" }, place),
  ];
}

// ── a new one ──

function choices(legend, name, all, chosen) {
  return el("fieldset", {}, el("legend", {}, legend), el("div", { className: "choices" }, all.map(([value, text, about]) => el("label", { className: "pick choice" },
    el("input", { type: "radio", name, value, checked: value === chosen }), el("span", {}, text, about && el("span", { className: "hint second-line" }, about))))));
}

const pickedOf = (form, name) => form.querySelector(`input[name="${name}"]:checked`)?.value;

async function place(form, token, usd) {
  const rail = pickedOf(form, "rail");
  const order = { rail, token, usd };
  if (rail === "chain" || pickedOf(form, "into") === "account") {
    const offer = await post("/v1/wallet/top-ups/offer", { way: rail === "chain" ? "dollars" : "deposit", token, usd });
    order.signed = { ...offer.signed, signature: await signature(offer.typed_data) };
  }
  return post("/v1/wallet/orders", order, { "Idempotency-Key": crypto.randomUUID() });
}

function newOrderForm(projects, rails) {
  const project = el("select", {}, options(null, ...projects.map((each) => [each.token, `${KINDS[each.kind]}: ${each.symbol} (${each.name})`])));
  const amount = el("input", { inputmode: "decimal", value: "20", required: true });
  const worth = el("p", { className: "hint" });
  const problem = el("div", {});
  const rail = choices("How do you pay?", "rail", rails.map((each) => [each, RAILS[each].name, RAILS[each].about]), rails[0]);
  const into = choices("Where should the credits go?", "into", [
    ["account", "Ready for apps to use", "You sign once, so that they go straight into your balance."],
    ["wallet", "Keep in my own wallet", "To send them to others; you can make them spendable later."],
  ], "account");
  const form = el("form", { className: "fields", onsubmit: async (event) => {
    event.preventDefault();
    problem.replaceChildren();
    const button = form.querySelector("button[type=submit]");
    button.disabled = true;
    try {
      const usd = money(amount.value);
      if (usd === null) throw new Error("Write an amount in dollars, like 20.");
      const order = await place(form, project.value, usd);
      location.assign(order.page ?? `/wallet/top-up?order=${order.id}`);
    } catch (error) {
      problem.replaceChildren(notice("bad", error.message));
    } finally {
      button.disabled = false;
    }
  } },
  field("Which balance?", project),
  el("div", {}, field("How many dollars?", amount), worth, el("div", { className: "row quick" }, QUICK.map((usd) => el("button", { type: "button", className: "quiet", onclick: () => { amount.value = usd; tell(); } }, `$${usd}`)))),
  rail, into, problem, el("div", {}, el("button", { type: "submit" }, "Go on")));
  const tell = () => {
    const usd = money(amount.value);
    const chosen = projects.find((each) => each.token === project.value);
    const par = parse(chosen.usd_per_credit, 6);
    worth.textContent = usd === null ? "" : `That is ${shown(exact((parse(usd, 6) * 1000000000n) / par, 9))} ${chosen.symbol}: one costs ${dollars(chosen.usd_per_credit)}, and is paid back at the same price.`;
    into.hidden = pickedOf(form, "rail") === "chain";
  };
  form.addEventListener("input", tell);
  tell();
  return form;
}

export async function render() {
  const reserve = await get("/v1/reserve");
  const order = new URLSearchParams(location.search).get("order");
  if (order) return showOrder(order, reserve.projects);
  const projects = reserve.projects.filter((project) => !project.retired_at);
  const { data: rails } = await get("/v1/wallet/rails");
  const { data: orders } = rails.length ? await get("/v1/wallet/orders") : { data: [] };
  return [
    el("div", {}, el("h1", {}, "Top up"), el("p", { className: "soft" }, "Credits cost what they are worth, and what you have not used you can get back.")),
    rails.length && projects.length ? card("A new top-up", newOrderForm(projects, rails)) : card(null, el("p", {}, "Nothing can be topped up here at the moment.")),
    orders.length ? card("Your top-ups", table("Your top-ups, newest first", [{ name: "When" }, { name: "Amount", number: true }, { name: "State", wide: true }], orders.map((each) => [
      el("a", { href: `/wallet/top-up?order=${each.id}` }, when(each.placed_at)), dollars(each.asked_usd), statusTag(each)]), { tall: true })) : null,
  ].filter(Boolean);
}
