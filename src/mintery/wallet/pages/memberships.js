// Memberships: what is sold by the month, what one has, what is charged next, and its end.
import { del, get, post } from "./api.js";
import { dollars, exact, parse, shown } from "./amounts.js";
import { signature } from "./holder.js";
import { openReceipt } from "./receipt.js";
import { KINDS } from "./statement.js";
import { actionButton, card, confirm, day, dialog, el, facts, field, notice, options, tag, when } from "./ui.js";

const STATES = {
  renewing: ["good", "Paid each month"],
  ending: ["warn", "Ends when its month is over"],
  late: ["bad", "Not paid"],
  ended: ["", "Ended"],
};
const LASTS = [["1", "one month"], ["3", "3 months"], ["6", "6 months"], ["12", "one year"], ["24", "2 years"]];
const LATE = "The next month could not be charged, so it does not count at the moment. Top up, or look at your limits: it is tried again for a week, and then it ends. Is the time over that you signed for? Then join again.";

const nameOf = (name) => name[0].toUpperCase() + name.slice(1).replaceAll("-", " ");
const unix = (instant) => Math.floor(Date.parse(instant) / 1000);

// What credits are worth, by their fixed price.
const worth = (credits, each) => dollars(exact(parse(credits, 9) * parse(each, 6), 15));

function whatOneGets(offer) {
  const minute = [offer.requests_per_minute !== null && `${offer.requests_per_minute.toLocaleString()} requests`].filter(Boolean);
  const lines = [
    offer.models.length > 0 && `Models for members alone: ${offer.models.join(", ")}`,
    minute.length > 0 && `Up to ${minute.join(" and ")} a minute`,
    offer.priority > 0 && "A place further ahead when many ask at once",
  ].filter(Boolean);
  return el("ul", {}, lines.map((line) => el("li", {}, line)));
}

async function join(offer, month, balance, refresh) {
  const lasts = el("select", {}, options("12", ...LASTS));
  const told = el("p", { className: "notice" });
  const problem = el("div", {});
  const tell = () => {
    told.textContent = `${worth(month.credits, balance.usd_per_credit)} (${shown(month.credits)} ${balance.symbol}) are paid now, and the same each month, for ${LASTS.find(([value]) => value === lasts.value)[1]} at the most. You sign once. End it at any time: the month that is paid runs to its end, and no further one is charged.`;
  };
  lasts.addEventListener("change", tell);
  tell();
  const asked = dialog(`Join ${nameOf(offer.membership)}?`, [told, field("For how long?", lasts, "Never longer, and never more a month than it costs today."), problem,
    el("div", { className: "row" }, actionButton("Sign and join", async () => {
      const wanted = { token: balance.token, membership: offer.membership };
      const offered = await post("/v1/wallet/memberships/offer", { ...wanted, months: Number(lasts.value) });
      if (offered.month_credits !== month.credits) throw new Error(`Its price has changed: a month is ${shown(offered.month_credits)} ${balance.symbol} now. Close this and look again.`);
      const voucher = { ...offered.voucher, signature: await signature(offered.typed_data) };
      await post("/v1/wallet/memberships", { ...wanted, most_credits_a_month: offered.month_credits, voucher });
      asked.box.close("joined");
    }, { wrong: (error) => problem.replaceChildren(notice("bad", error.message)) }))]);
  if (await asked.closed) await refresh(notice("good", `You are a member: ${nameOf(offer.membership)} counts from now on, for every key of this balance.`));
}

function offerCard(offer, balance, own, refresh) {
  const month = offer.prices.find(({ per }) => per === "month");
  const one = offer.prices.find(({ per }) => per === "request");
  const parts = [el("div", { className: "row between" }, el("h2", {}, nameOf(offer.membership)), tag(balance.kind, KINDS[balance.kind]))];
  if (month?.available) {
    parts.push(el("div", {}, el("span", { className: "big" }, worth(month.credits, balance.usd_per_credit)), " ", el("span", { className: "unit" }, "a month"),
      el("div", { className: "soft" }, `${shown(month.credits)} ${balance.symbol}, from your ${KINDS[balance.kind].toLowerCase()}`)));
  } else if (month) parts.push(notice("warn", "It cannot be bought at the moment; look again in a few minutes."));
  parts.push(whatOneGets(offer));
  if (one?.available) parts.push(el("p", { className: "soft small" }, `For one request alone, programs pay ${worth(one.credits, balance.usd_per_credit)}.`));
  const short = month?.available && parse(month.credits, 9) > parse(balance.spendable_credits, 9);
  if (own) parts.push(el("p", {}, tag("good", "You have it")));
  else if (short) parts.push(notice("", `A month needs ${shown(month.credits)} ${balance.symbol}, and ${shown(balance.spendable_credits)} are ready to spend. `, el("a", { href: "/wallet/top-up" }, "Top up first"), "."));
  else if (month?.available) parts.push(el("div", {}, actionButton("Join", () => join(offer, month, balance, refresh))));
  return el("section", { className: "card stack", "aria-label": `${nameOf(offer.membership)}, ${balance.symbol}` }, parts);
}

function ownRow(membership, refresh) {
  const [kind, text] = STATES[membership.status] ?? ["", membership.status];
  const credits = `${shown(membership.most_credits_a_month)} ${membership.symbol ?? ""}`;
  const name = nameOf(membership.membership);
  const stands = ["renewing", "late"].includes(membership.status);
  return el("li", { className: "stack", "aria-label": name },
    el("div", { className: "row between" }, el("h3", {}, name), tag(kind, text)),
    membership.status === "late" && notice("bad", LATE),
    facts([
      stands && ["A month, at most", [membership.most_usd_a_month === null ? credits : dollars(membership.most_usd_a_month), membership.most_usd_a_month !== null && el("span", { className: "soft second-line" }, credits)]],
      ["Paid from", KINDS[membership.kind] ?? "Balance"],
      membership.paid_until && [membership.status === "renewing" ? "Paid until" : "Counts until", when(membership.paid_until)],
      membership.next_charge_at && ["Next charge", when(membership.next_charge_at)],
      stands && ["Signed until", day(membership.usable_until)],
    ]),
    el("div", { className: "row" },
      membership.receipt && el("button", { type: "button", className: "quiet", onclick: () => openReceipt(membership.receipt) }, "Receipt"),
      stands && actionButton("End it", async () => {
        const until = membership.paid_until && Date.parse(membership.paid_until) > Date.now() ? ` You keep it until ${day(unix(membership.paid_until))}.` : "";
        if (!(await confirm(`End ${name}?`, `No further month is charged.${until}`, "End it"))) return;
        await del(`/v1/wallet/memberships/${membership.account}/${encodeURIComponent(membership.membership)}`);
        await refresh(notice("good", `${name}: no further month is charged.`));
      }, { className: "danger" })));
}

export async function render({ refresh }) {
  const [wallet, reserve] = await Promise.all([get("/v1/wallet"), get("/v1/reserve")]);
  // Who has nothing yet sees what there is, and what it costs.
  const empty = reserve.projects.filter((project) => !project.retired_at && !wallet.balances.some(({ token }) => token === project.token)).map((project) => ({ ...project, spendable_credits: "0" }));
  const lists = await Promise.all([...wallet.balances, ...empty].map(async (balance) => ({ balance, ...(await get(`/v1/wallet/memberships?token=${balance.token}`)) })));
  const mine = lists.length ? lists[0].data : [];
  const now = mine.filter(({ status }) => status !== "ended");
  const past = mine.filter(({ status }) => status === "ended");
  const has = (name, token) => now.some((each) => each.membership === name && each.token === token && each.status === "renewing");
  const offers = lists.flatMap(({ balance, offers: some }) => some.filter(({ prices }) => prices.some(({ per }) => per === "month")).map((offer) => offerCard(offer, balance, has(offer.membership, balance.token), refresh)));
  return [
    el("div", {}, el("h1", {}, "Memberships"), el("p", { className: "soft" }, "What is paid by the month, from a balance of yours. You see what is charged next, and end it whenever you like.")),
    card("Yours", now.length ? el("ul", { className: "plain" }, now.map((each) => ownRow(each, refresh))) : el("p", { className: "soft" }, "You have none."),
      past.length ? el("details", {}, el("summary", {}, `Ended (${past.length})`), el("ul", { className: "plain" }, past.map((each) => ownRow(each, refresh)))) : null),
    offers.length ? el("div", { className: "grid" }, offers)
      : card("To be had", el("p", { className: "soft" }, "Nothing is sold by the month here.")),
  ];
}
