// One statement for everything: what there was, what came, what was used and by whom, and what is left.
import { get, Refused } from "./api.js";
import { dollars, parse, exact, shown } from "./amounts.js";
import { barPlot } from "./plot.js";
import { card, el, field, notice, options, table, tag } from "./ui.js";

export const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
const MONTHS = 12;
const GROUPS = [["by_key", "App or key", "key"], ["by_model", "Model", "model"], ["by_route", "Who answered", "route"]];

export const KINDS = { official: "Official balance", routed: "Routed balance" };

export function monthName(month) {
  const [year, number] = month.split("-").map(Number);
  return new Date(Date.UTC(year, number - 1, 1)).toLocaleDateString(undefined, { month: "long", year: "numeric", timeZone: "UTC" });
}

export function thisMonth() {
  const now = new Date();
  return `${now.getFullYear()}-${String(now.getMonth() + 1).padStart(2, "0")}`;
}

function monthsBack() {
  const now = new Date();
  return [...Array(MONTHS).keys()].map((back) => {
    const first = new Date(now.getFullYear(), now.getMonth() - back, 1);
    return `${first.getFullYear()}-${String(first.getMonth() + 1).padStart(2, "0")}`;
  });
}

// One statement at a time is written for a holder: another page of the same holder may be asking for one now.
export async function statementOf(month) {
  for (let tries = 1; ; tries += 1) {
    try {
      return await get(`/v1/wallet/statement?month=${month}&time_zone=${encodeURIComponent(zone)}&lines=false`);
    } catch (error) {
      if (!(error instanceof Refused && error.code === "statements_busy") || tries === 5) throw error;
      await new Promise((resolve) => { setTimeout(resolve, 300 * tries); });
    }
  }
}

// What was spent on each day of the month until today, of all balances together, in dollars: [{name, value}] with 18 decimals.
export function spentByDay(statement, month) {
  const sums = new Map();
  for (const wallet of statement.wallets) {
    for (const { day, use_usd } of wallet.by_day) {
      if (use_usd !== null) sums.set(day, (sums.get(day) ?? 0n) + parse(use_usd, 18));
    }
  }
  const [year, number] = month.split("-").map(Number);
  const last = month === thisMonth() ? new Date().getDate() : new Date(year, number, 0).getDate();
  const name = new Date(Date.UTC(year, number - 1, 1)).toLocaleDateString(undefined, { month: "short", timeZone: "UTC" });
  return [...Array(last).keys()].map((before) => ({
    name: `${before + 1} ${name}`,
    value: sums.get(`${month}-${String(before + 1).padStart(2, "0")}`) ?? 0n,
  }));
}

export const spent = (days) => days.reduce((sum, day) => sum + day.value, 0n);

export function spendPlot(days, month) {
  return barPlot(`Spent on each day of ${monthName(month)}, ${dollars(exact(spent(days), 18))} in all`, days, (value) => dollars(exact(value, 18)));
}

// An app has the name that its key was given; a key that was signed elsewhere has none.
export const appName = (label) => (/^mv1-/.test(label) ? `A key signed elsewhere (…${label.slice(-4)})` : label);

// What was asked for: a model, or a month of a membership.
export function modelName(model) {
  const [, month] = /\/membership\.([\w-]+)$/.exec(model) ?? [];
  return month ? `Membership ${month[0].toUpperCase()}${month.slice(1)}` : model;
}

const groupName = (use, part) => (part === "key" ? appName(use.label || use[part]) : part === "model" ? modelName(use[part]) : use.label || use[part]);

function amounts(wallet, name, sign = "") {
  const credits = wallet[`${name}_credits`];
  const usd = wallet[`${name}_usd`];
  const before = /[1-9]/.test(credits) ? sign : "";
  return el("span", { title: `${credits} ${wallet.symbol ?? ""}` }, `${before}${shown(credits)} ${wallet.symbol ?? "credits"}`, usd !== null && el("span", { className: "soft second-line" }, `${before}${dollars(usd)}`));
}

function walletCard(wallet) {
  const rows = [
    ["At the start", amounts(wallet, "opening")],
    ["Topped up", amounts(wallet, "top_ups", "+")],
    ["Used", amounts(wallet, "use", "−")],
    wallet.waived_nanocredits !== "0" && ["Not charged after all", amounts(wallet, "waived", "+")],
    ["Paid back to you", amounts(wallet, "paid_back", "−")],
  ].filter(Boolean);
  const title = KINDS[wallet.kind] ?? "Balance";
  return el("section", { className: "card stack", "aria-label": `${title} ${wallet.symbol ?? ""}` },
    el("div", { className: "row between" }, el("h2", {}, `${title} · ${wallet.symbol ?? ""}`), wallet.kind && tag(wallet.kind, wallet.name ?? "")),
    table(`${title} from start to end`, [{ name: "What" }, { name: "Amount", number: true }], rows, { foot: ["At the end", amounts(wallet, "closing")] }),
    el("p", { className: "soft small" }, `${wallet.requests} ${wallet.requests === 1 ? "request" : "requests"}${wallet.backup_requests ? `, ${wallet.backup_requests} of them answered by a stand-in` : ""}.`),
    GROUPS.filter(([group]) => wallet[group].length).map(([group, name, part]) => el("details", { open: group === "by_key" },
      el("summary", {}, `By ${name.toLowerCase()}`),
      table(`Used, by ${name.toLowerCase()}`, [{ name, wide: true }, { name: "How often" }, { name: "Used", number: true }],
        wallet[group].map((use) => [groupName(use, part), `${use.requests} ${use.requests === 1 ? "request" : "requests"}`, amounts({ ...use, symbol: wallet.symbol }, "use")]), { tall: true }))));
}

export async function render() {
  const wanted = new URLSearchParams(location.search).get("month");
  const months = monthsBack();
  const month = months.includes(wanted) ? wanted : months[0];
  const statement = await statementOf(month);
  const choose = el("select", { onchange: () => location.assign(`/wallet/statement?month=${choose.value}`) }, options(month, ...months.map((each) => [each, monthName(each)])));
  const file = (format) => `/v1/wallet/statement?month=${month}&time_zone=${encodeURIComponent(zone)}&format=${format}`;
  const days = spentByDay(statement, month);
  return [
    el("div", { className: "row between" }, el("h1", {}, "Statement"), el("div", {}, field("Month", choose))),
    !statement.period.final && notice("", "This month is still running: its newest lines may change."),
    statement.wallets.length ? null : card(null, el("p", { className: "soft" }, `Nothing happened in ${monthName(month)}.`)),
    spent(days) > 0n && card("Day by day", spendPlot(days, month)),
    el("div", { className: "grid" }, statement.wallets.map(walletCard)),
    card("Every line of it", el("p", {}, "Every top-up and request is in these, and they all say the same."),
      el("div", { className: "row" }, el("a", { className: "button quiet", href: file("pdf") }, "PDF"), el("a", { className: "button quiet", href: file("csv") }, "Table (CSV)"),
        el("a", { className: "button quiet", href: file("html") }, "Page to print")),
      el("p", { className: "soft small" }, `Days begin at midnight in ${zone}.`)),
  ].filter(Boolean);
}
