// What happened last, as it happens: each request with what it cost, and its receipt one click away.
import { get } from "./api.js";
import { dollars, shown } from "./amounts.js";
import { openReceipt } from "./receipt.js";
import { appName, KINDS, modelName, zone } from "./statement.js";
import { card, el, field, notice, options, tag, when } from "./ui.js";

const EVERY_MS = 3000;
const PAGE = 50;
const WORDS = { top_up: "Top-up", use: "Request", waived: "Not charged after all", exit: "Paid back to you", release: "Paid back to you" };

const signed = (text, of) => (text.startsWith("-") ? `−${of(text.slice(1))}` : /[1-9]/.test(text) ? `+${of(text)}` : of(text));

function change(line) {
  return [el("span", { title: `${line.change_credits} ${line.symbol ?? ""}` }, `${signed(line.change_credits, shown)} ${line.symbol ?? ""}`),
    line.change_usd !== null && el("span", { className: "soft second-line" }, signed(line.change_usd, dollars))];
}

const isMonth = (line) => modelName(line.model) !== line.model;

function lineRow(line) {
  const what = line.request
    ? el("button", { type: "button", className: "link", onclick: () => openReceipt(line.request) }, modelName(line.model))
    : WORDS[line.kind] ?? line.kind;
  return el("tr", {},
    el("td", {}, what, line.undone && tag("warn", "Taken back"), line.backup && tag("", "Stand-in"), el("span", { className: "soft second-line" }, line.request && !isMonth(line) ? appName(line.label ?? "") : KINDS[line.wallet] ?? "")),
    el("td", { className: "number" }, change(line)),
    el("td", { className: "wide soft small" }, when(line.at)));
}

function runningRow(request) {
  return el("tr", {},
    el("td", {}, request.model ?? "A request", " ", tag("warn", "Under way"), el("span", { className: "soft second-line" }, KINDS[request.wallet] ?? "")),
    el("td", { className: "number" }, el("span", { className: "soft" }, `at most ${shown(request.held_credits)} ${request.symbol ?? ""}`)),
    el("td", { className: "wide soft small" }, when(request.at)));
}

const keyOf = (line) => `${line.at} ${line.kind} ${line.reference} ${line.undone}`;

export async function render() {
  const wanted = { kind: "", wallet: "", key: "", model: "" };
  const rows = el("tbody", {});
  const more = el("button", { type: "button", className: "quiet" }, "Show earlier ones");
  const nothing = el("p", { className: "soft" }, "Nothing here yet.");
  const problem = el("div", {});
  const live = el("p", { className: "soft small" }, "New requests appear here by themselves.");
  let lines = [];
  let running = [];
  let next = null;

  const ask = (cursor) => {
    const query = new URLSearchParams({ limit: String(PAGE), time_zone: zone });
    for (const [name, value] of Object.entries(wanted)) if (value) query.set(name, value);
    if (cursor) query.set("cursor", cursor);
    return get(`/v1/wallet/activity?${query}`);
  };
  const draw = () => {
    rows.replaceChildren(...running.map(runningRow), ...lines.map(lineRow));
    more.hidden = next === null;
    nothing.hidden = lines.length + running.length > 0;
  };
  const load = async () => {
    const page = await ask(null);
    const before = lines.slice(PAGE);
    const known = new Set(page.data.map(keyOf));
    const kept = next !== null && before.length ? lines.filter((line) => !known.has(keyOf(line))) : [];
    lines = [...page.data, ...kept];
    running = page.running;
    if (!kept.length) next = page.next;
    draw();
  };
  const filtered = async () => {
    lines = [];
    next = null;
    problem.replaceChildren();
    try { await load(); } catch (error) { problem.replaceChildren(notice("bad", error.message)); }
  };
  more.addEventListener("click", async () => {
    const page = await ask(next);
    lines = [...lines, ...page.data];
    next = page.next;
    draw();
  });
  await load();

  const choose = (label, name, ...pairs) => {
    const select = el("select", {}, options("", ["", "All"], ...pairs));
    select.addEventListener("change", () => { wanted[name] = select.value; filtered(); });
    return field(label, select);
  };
  const { data: keys } = await get("/v1/wallet/keys");
  const models = await get("/v1/models");
  const names = models.data.map((model) => model.id);
  const filters = el("div", { className: "filters" },
    choose("What", "kind", ["use", "Requests"], ["top_up", "Top-ups"], ["exit", "Paid back"]),
    choose("Balance", "wallet", ["official", "Official"], ["routed", "Routed"]),
    choose("App", "key", ...keys.map((key) => [key.id, key.label])),
    choose("Model", "model", ...names.map((name) => [name, name])));

  const timer = setInterval(async () => {
    if (document.hidden || !rows.isConnected) return;
    try {
      await load();
      live.textContent = "New requests appear here by themselves.";
    } catch {
      live.textContent = "The server does not answer at the moment; this goes on by itself.";
    }
  }, EVERY_MS);
  window.addEventListener("pagehide", () => clearInterval(timer));

  return [
    el("div", {}, el("h1", {}, "Activity"), el("p", { className: "soft" }, "Every request, and what it cost. Choose one to see its receipt.")),
    card(null, filters, problem,
      el("table", { className: "tall" }, el("caption", { className: "hidden" }, "Activity, newest first"),
        el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "What"), el("th", { scope: "col", className: "number" }, "Amount"), el("th", { scope: "col" }, "When"))), rows),
      nothing, el("div", {}, more), live),
  ];
}
