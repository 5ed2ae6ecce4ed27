// One request's receipt in a drawer: what was set aside before, what it cost after, and how the sum comes about.
import { get } from "./api.js";
import { dollars, exact, full, nano, parse, priceOf } from "./amounts.js";
import { appName, KINDS, modelName, zone } from "./statement.js";
import { dialog, el, facts, notice, table, tag, when } from "./ui.js";

// "12 input tokens", "1 image, 1024x1024-low"
function usedOf({ quantity, sku }) {
  const [base, ...variants] = sku.slice(sku.lastIndexOf(":") + 1).replaceAll("_", " ").split(".");
  return [`${quantity} ${base}${quantity === 1 ? "" : "s"}`, ...variants].join(", ");
}

function sum(told) {
  const symbol = told.symbol ?? "credits";
  const amount = (credits, usd) => [`${full(credits)} ${symbol}`, usd !== null && el("span", { className: "soft second-line" }, `$${full(usd)}`)];
  const most = ["Before: at most, and set aside", amount(told.before.most_credits, told.before.most_usd)];
  if (!told.after) return table("Before", [{ name: "When" }, { name: "Amount", number: true }], [most]);
  const back = nano(String(BigInt(told.before.most_nanocredits) - BigInt(told.charged_nanocredits)));
  const backUsd = told.charged_usd === null ? null : exact(parse(told.before.most_usd, 18) - parse(told.charged_usd, 18), 18);
  return table("Before and after", [{ name: "When" }, { name: "Amount", number: true }], [most, ["Came back unused", amount(back, backUsd)]],
    { foot: ["After: what it cost", amount(told.charged_credits, told.charged_usd)] });
}

function lines(receipt) {
  const rows = receipt.usage.map((line) => [
    usedOf(line),
    priceOf(exact(BigInt(line.unit_price_usd_wad), 18), line.sku),
    `$${full(exact(BigInt(line.cost_usd_wad), 18))}`,
  ]);
  return table("How the sum comes about", [{ name: "Used" }, { name: "Price" }, { name: "Cost", number: true }], rows);
}

const WAITING = {
  held: "It waits for its turn.",
  dispatched: "It is being answered now.",
  released: "It failed, and cost nothing: everything came back.",
  unresolved: "Nobody knows yet how it ended. Without a sign that it was answered it costs nothing, within 15 minutes.",
};

function after(told) {
  const receipt = told.after;
  const { route, settlement } = receipt;
  return [
    route.test && notice("warn", "A test model made this answer up."),
    el("h3", {}, "How the sum comes about"), lines(receipt),
    receipt.markup_bps > 0 && el("p", { className: "soft small" }, `The service adds ${exact(BigInt(receipt.markup_bps), 2)} % to the provider's price; the sum is rounded up once, to the smallest amount there is.`),
    receipt.usage_source !== "provider" && receipt.usage_source !== "counted" && el("p", { className: "soft small" }, "The provider did not say what was used, so it was estimated."),
    facts([
      ["Paid from", `${KINDS[told.wallet] ?? "Balance"}, ${told.symbol ?? ""}`],
      told.label && modelName(told.before.model) === told.before.model && ["App", appName(told.label)],
      ["Answered by", `${route.provider}${route.backup ? " (a stand-in)" : ""}`],
      route.asked && ["Asked for", route.asked],
      ["Booked", settlement.tx_hash ? tag("good", "for good") : tag("", "in the next minutes")],
      ["Number", el("code", {}, told.request)],
    ]),
    receipt.attempts.length > 1 && el("details", {}, el("summary", {}, "Who was asked before"),
      table("Attempts", [{ name: "Provider" }, { name: "What came of it" }], receipt.attempts.map((each) => [each.provider, each.outcome.replaceAll("_", " ")]))),
  ];
}

export async function openReceipt(request) {
  const place = el("div", { className: "stack" }, el("p", { className: "soft" }, "Loading…"));
  const opened = dialog("Receipt", [place], { drawer: true });
  try {
    const told = await get(`/v1/wallet/receipts/${request}?time_zone=${encodeURIComponent(zone)}`);
    const usd = told.after ? told.charged_usd : null;
    place.replaceChildren(...[
      el("div", {}, usd !== null && el("div", { className: "big" }, dollars(usd)), el("div", { className: "soft" }, modelName(told.before.model), " · ", when(told.at))),
      !told.after && notice("", WAITING[told.status] ?? "It has no receipt yet."),
      sum(told),
      ...(told.after ? after(told) : []),
    ].filter(Boolean));
  } catch (error) {
    place.replaceChildren(notice("bad", error.message));
  }
  await opened.closed;
}
