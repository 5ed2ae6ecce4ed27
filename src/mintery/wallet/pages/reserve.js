// The public page: what backs the credits, and what model calls have cost. Needs no wallet.
import { get } from "./api.js";
import { dollars, exact, parse, priceOf, shown } from "./amounts.js";
import { stepPlot } from "./plot.js";
import { address, card, clock, day, el, facts, field, notice, options, table, tag, when } from "./ui.js";

const percent = (bps) => `${shown(exact(BigInt(bps), 2))} %`;

function health(reserve) {
  const short = reserve.projects.filter((project) => project.coverage_bps !== null && project.coverage_bps < 10000);
  if (reserve.vault.covered && !short.length) {
    return notice("good", el("strong", {}, "Every credit is backed."),
      ` The reserve holds ${dollars(reserve.vault.assets_usd)}; everything owed from it sums to ${dollars(reserve.vault.claims_usd)}.`);
  }
  return notice("bad", el("strong", {}, "The reserve is short."),
    ` It holds ${dollars(reserve.vault.assets_usd)} of the ${dollars(reserve.vault.claims_usd)} that are owed from it. New credits are not sold while this lasts.`);
}

function checked(reconciliation) {
  if (!reconciliation) return ["The books have not been compared with the public record yet."];
  const { at, differences } = reconciliation;
  return ["Last compared with the public record ", when(at), ": ",
    differences ? tag("bad", `${differences} differences`) : tag("good", "equal to the last unit"), "."];
}

// The reserve beside what the supply needed, over time: what is noted whenever either changes.
async function showHistory(project, place, now) {
  const { observations } = await get(`/v1/reserve/${project.token}/history`);
  if (!observations.length) {
    place.replaceChildren(el("p", { className: "soft small" }, "Its history begins with the next check."));
    return;
  }
  const line = (name) => observations.map((seen) => [seen.block_time, parse(seen[name], 6)]);
  const first = observations[0].block_time;
  const label = (assets) => dollars(exact(assets, 6));
  const least = observations.reduce((low, seen) => (parse(seen.reserve_usd, 6) * low[1] < low[0] * parse(seen.needed_usd, 6) ? [parse(seen.reserve_usd, 6), parse(seen.needed_usd, 6)] : low), [1n, 1n]);
  const title = `Reserve of ${project.name} since ${day(first)}: ${least[0] >= least[1] ? "never less than was needed" : "at times less than was needed"}`;
  place.replaceChildren(
    stepPlot(title, [{ points: line("reserve_usd") }, { points: line("needed_usd"), second: true }], now, label, first > now - 86400 ? clock : day),
    el("p", { className: "small soft" }, el("span", { className: "key" }), "Reserve ", el("span", { className: "key second" }), "Needed"),
    el("details", {}, el("summary", {}, "The same as a table"),
      table(title, [{ name: "When" }, { name: "Reserve", number: true }, { name: "Needed", number: true }],
        [...observations].reverse().slice(0, 100).map((seen) => [when(seen.block_time), dollars(seen.reserve_usd), dollars(seen.needed_usd)]))));
}

function projectCard(project, now) {
  const history = el("div", { className: "stack" });
  showHistory(project, history, now).catch((error) => history.replaceChildren(notice("bad", error.message)));
  return card(null,
    el("div", { className: "row between" }, el("h2", {}, project.name),
      el("span", { className: "row" }, tag(project.kind, project.kind === "official" ? "Official" : "Routed"), project.retired_at ? tag("warn", "No longer sold") : null)),
    el("div", {}, el("span", { className: "big" }, project.coverage_bps === null ? "—" : percent(project.coverage_bps)), " ", el("span", { className: "unit" }, "covered")),
    facts([
      ["In circulation", `${shown(project.supply_credits)} ${project.symbol}`],
      ["Reserve", dollars(project.reserve_usd)],
      ["Needed to pay everyone back", dollars(project.needed_usd)],
      ["One credit is worth", dollars(project.usd_per_credit)],
      ["Ready to spend in accounts", `${shown(project.in_accounts_credits)} ${project.symbol}`],
      ["In people's wallets", `${shown(project.in_wallets_credits)} ${project.symbol}`],
      ["Earned by the issuer", dollars(project.margin_usd)],
    ]),
    history,
    el("details", {}, el("summary", {}, "Addresses"), facts([["Credit", address(project.token)], ["Issuer", address(project.issuer)]], "wide")));
}

function historyOf(history) {
  if (!history.versions.length) return [el("p", { className: "soft" }, "This price has never been reported.")];
  const points = history.versions.map(({ since, usd_wad }) => [since, BigInt(usd_wad)]);
  const label = (wad) => priceOf(exact(wad, 18), history.sku).split(" per ")[0];
  const newest = history.versions.at(-1);
  const title = `Price of ${history.sku}: ${history.versions.length === 1 ? "one version" : `${history.versions.length} versions`}, now ${priceOf(newest.usd, history.sku)}`;
  return [
    el("p", {}, el("span", { className: "big" }, label(BigInt(newest.usd_wad))), " ",
      el("span", { className: "unit" }, priceOf(newest.usd, history.sku).split(" per ")[1] && `per ${priceOf(newest.usd, history.sku).split(" per ")[1]}`)),
    history.queued_usd && notice("warn", `A new price waits to be confirmed: ${priceOf(history.queued_usd, history.sku)}.`),
    stepPlot(title, [{ points }], history.as_of.block_time, label, points[0][0] > history.as_of.block_time - 86400 ? clock : day),
    el("p", { className: "soft small" }, "Last confirmed by the price reporters ", history.refreshed_at ? when(history.refreshed_at) : "never", "."),
    el("details", {}, el("summary", {}, history.versions.length === 1 ? "The one version" : `All ${history.versions.length} versions`),
      table(`Versions of the price of ${history.sku}`, [{ name: "Version" }, { name: "In force since" }, { name: "Price", number: true }],
        [...history.versions].reverse().map(({ version, since, usd }) => [String(version), when(since), priceOf(usd, history.sku)]))),
  ];
}

function prices(skus) {
  if (!skus.length) return card("Prices", el("p", { className: "soft" }, "No price has been reported yet."));
  const place = el("div", { className: "stack", "aria-live": "polite" });
  const choose = el("select", {}, options(skus[0], ...skus.map((sku) => [sku, sku])));
  const show = async () => {
    place.setAttribute("aria-busy", "true");
    try {
      place.replaceChildren(...historyOf(await get(`/v1/prices/${choose.value}`)).filter(Boolean));
    } catch (error) {
      place.replaceChildren(notice("bad", error.message));
    }
    place.removeAttribute("aria-busy");
  };
  choose.addEventListener("change", show);
  show();
  return card("Prices", el("p", { className: "soft" }, "What each unit of a model has cost. A call is paid at the price in force when it began."),
    field("Model and unit", choose), place);
}

export async function render({ title }) {
  const reserve = await get("/v1/reserve");
  return [
    el("div", {}, el("h1", {}, title), el("p", { className: "soft" },
      "Credits exist only against money in the reserve, and anyone can check it here. Nobody needs our word for it: the same figures can be read from the public record at the addresses below.")),
    health(reserve),
    reserve.projects.length ? el("div", { className: "grid" }, reserve.projects.map((project) => projectCard(project, reserve.as_of.block_time))) : card(null, el("p", { className: "soft" }, "No project has been opened yet.")),
    prices(reserve.skus),
    card("Checks", el("p", {}, checked(reserve.reconciliation)),
      el("p", { className: "soft small" }, `Read at block ${reserve.as_of.block}, `, when(reserve.as_of.block_time), ".")),
    card("Addresses", el("p", { className: "soft" }, `Network number ${reserve.chain_id}.`),
      facts([...Object.entries(reserve.contracts), ["Gateway", reserve.gateway], ["Settler", reserve.settler]].map(([name, text]) => [name, address(text)]), "wide")),
  ];
}
