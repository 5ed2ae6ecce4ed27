// Home: what there is to spend, of each kind, and what became of it this month.
import { get, post, Refused } from "./api.js";
import { dollars, exact, shown } from "./amounts.js";
import { signature } from "./holder.js";
import { limitBar, PERIODS } from "./keys.js";
import { spendPlot, spent, spentByDay, statementOf, thisMonth } from "./statement.js";
import { statusTag } from "./top_up.js";
import { actionButton, card, dialog, el, facts, field, notice, say, tag } from "./ui.js";

const KINDS = {
  official: { title: "Official balance", about: "For models bought straight from those who make them." },
  routed: { title: "Routed balance", about: "For models that this service routes to the best offer." },
};

async function makeSpendable(balance) {
  const amount = el("input", { inputmode: "decimal", value: balance.outside_credits, required: true });
  const problem = el("div", {});
  const asked = dialog(`Make ${balance.symbol} spendable`, [
    el("p", {}, `${shown(balance.outside_credits)} ${balance.symbol} lie in your own wallet. Moved into your balance here, apps can spend them by your keys. Your wallet app asks you to sign once; it costs nothing.`),
    field(`How many ${balance.symbol}`, amount),
    problem,
    el("div", { className: "row" }, actionButton("Sign and move", async () => {
      const move = { kind: "make_spendable", token: balance.token, credits: amount.value.trim() };
      const offer = await post("/v1/wallet/moves/offer", move);
      const answer = await post("/v1/wallet/moves", { ...move, salt: offer.salt, valid_before: offer.valid_before, signature: await signature(offer.typed_data) });
      asked.box.close(answer.status);
    }, { wrong: (error) => problem.replaceChildren(notice("bad", error.message)) })),
  ]);
  const status = await asked.closed;
  if (status) say(status === "done" ? "Moved. Your balance follows in a few seconds." : "On its way. Your balance follows when it arrives.");
  return Boolean(status);
}

function project(balance, reload) {
  const outside = balance.outside_nanocredits && balance.outside_nanocredits !== "0";
  return el("div", { className: "stack" },
    el("div", {},
      el("span", { className: "big", title: `${balance.spendable_credits} ${balance.symbol}` }, shown(balance.spendable_credits)), " ",
      el("span", { className: "unit" }, balance.symbol),
      el("div", { className: "soft" }, `${dollars(balance.spendable_usd)} to spend on ${balance.name}`)),
    facts([
      balance.held_nanocredits !== "0" && ["Set aside for requests under way", `${shown(balance.held_credits)} ${balance.symbol}`],
      balance.frozen_nanocredits !== "0" && ["Cannot be used: its payment is disputed", `${shown(balance.frozen_credits)} ${balance.symbol}`],
      balance.leaving_nanocredits !== "0" && ["On its way back to your own wallet", el("a", { href: "/wallet/take-out" }, `${shown(balance.leaving_credits)} ${balance.symbol}`)],
      outside && ["In your own wallet, not for apps yet", `${shown(balance.outside_credits)} ${balance.symbol}`],
    ]),
    outside && balance.takes_deposits && el("div", { className: "row" },
      actionButton("Make spendable", async () => { if (await makeSpendable(balance)) setTimeout(reload, 1500); }, { className: "quiet" }),
      el("a", { className: "button quiet", href: `/wallet/send?token=${balance.token}` }, "Send")),
    !balance.takes_deposits && notice("warn", "This project is ending: use or send what you have of it."));
}

function kindCard(kind, balances, reload) {
  const { title, about } = KINDS[kind];
  return el("section", { className: "card stack", "aria-label": title },
    el("div", { className: "row between" }, el("h2", {}, title), tag(kind, kind === "official" ? "Official" : "Routed")),
    ...(balances.length ? balances.map((balance) => project(balance, reload)) : [el("div", { className: "big" }, "0.00"), el("p", { className: "soft" }, "Nothing here yet.")]),
    el("p", { className: "soft small" }, about));
}

async function monthCard() {
  const month = thisMonth();
  const days = spentByDay(await statementOf(month), month);
  const sum = spent(days);
  return card("Spent this month",
    el("div", { className: "big" }, dollars(exact(sum, 18))),
    sum > 0n ? spendPlot(days, month) : el("p", { className: "soft" }, "Nothing yet."),
    el("div", { className: "row" }, el("a", { href: "/wallet/statement" }, "Statement")));
}

// What of a limit has reached a level that its holder wanted to be told of, in the period that runs.
function alerts(limits) {
  const told = limits.flatMap((limit) => limit.alerts.map(({ percent }) => ({ limit, percent })));
  const highest = told.filter(({ limit, percent }) => !told.some((other) => other.limit === limit && other.percent > percent));
  return highest.map(({ limit, percent }) => notice(percent >= 100 ? "bad" : "warn",
    `${percent >= 100 ? "A limit is used up" : `A limit is used to more than ${percent} %`}: ${limit.ceiling_usd === null ? "" : dollars(limit.ceiling_usd)} ${PERIODS[limit.period]}. `,
    el("a", { href: "/wallet/keys" }, "See your limits")));
}

// Top-ups that are not over stand beside the balance that they are to raise.
async function openOrders() {
  const { data } = await get("/v1/wallet/orders?limit=10").catch((error) => {
    if (error instanceof Refused) return { data: [] };
    throw error;
  });
  return data.filter((order) => ["pending", "manual_review"].includes(order.status));
}

const orderNotice = (order) => notice("", el("a", { href: `/wallet/top-up?order=${order.id}` }, `Top-up of ${dollars(order.asked_usd)}`), " ", statusTag(order));

function limitsCard(limits) {
  return card("Limits",
    limits.length ? limits.map(limitBar) : el("p", { className: "soft" }, "No limit is set."),
    el("div", { className: "row" }, el("a", { href: "/wallet/keys" }, "Keys and limits")));
}

const lateNotice = ({ membership }) => notice("bad", `Your membership ${membership} could not be charged, and does not count at the moment. `, el("a", { href: "/wallet/memberships" }, "See what to do"));

const firstSteps = () => card("How it begins",
  el("ol", {},
    el("li", {}, el("a", { href: "/wallet/top-up" }, "Top up"), ": dollars become credits, at a fixed price. What you do not use you get back."),
    el("li", {}, el("a", { href: "/wallet/keys" }, "Make a key"), " for an app, with a budget that it can never pass."),
    el("li", {}, "Put the key into the app. Each request, and what it cost, appears under ", el("a", { href: "/wallet/activity" }, "Activity"), ".")));

export async function render({ refresh }) {
  const [wallet, month, { data: limits }, orders, { data: memberships }] = await Promise.all([get("/v1/wallet"), monthCard(), get("/v1/wallet/limits"), openOrders(), get("/v1/wallet/memberships")]);
  const of = (kind) => wallet.balances.filter((balance) => balance.kind === kind);
  return [
    el("div", { className: "row between" }, el("h1", {}, "Home"), el("a", { className: "button", href: "/wallet/top-up" }, "Top up")),
    ...orders.map(orderNotice),
    wallet.balances.length || orders.length ? null : firstSteps(),
    el("div", { className: "grid" }, kindCard("official", of("official"), refresh), kindCard("routed", of("routed"), refresh)),
    ...alerts(limits),
    ...memberships.filter(({ status }) => status === "late").map(lateNotice),
    el("div", { className: "grid" }, month, limitsCard(limits.filter((limit) => !limit.key))),
  ].filter(Boolean);
}
