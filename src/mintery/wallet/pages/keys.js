// Keys for apps, and limits on what is spent.
import { del, get, patch, post, put } from "./api.js";
import { dollars, exact, parse, shown } from "./amounts.js";
import { signature } from "./holder.js";
import { meter } from "./plot.js";
import { actionButton, card, confirm, copyButton, day, dialog, el, field, notice, options, tag, when } from "./ui.js";
import { zone } from "./statement.js";

export const PERIODS = { day: "a day", week: "a week", month: "a month" };
const PERIOD_NAMES = { day: "Today", week: "This week", month: "This month" };
const LASTS = [["30", "30 days"], ["90", "90 days"], ["365", "one year"]];
const STATES = { open: ["good", "Works"], expired: ["warn", "Expired"], revoked: ["bad", "Switched off"], closed: ["", "Ended with its balance"] };

// How many calendar periods the next so many days touch: what is signed covers the budget of each of them.
export function periodsIn(period, days, now = new Date()) {
  if (period === "day") return days + 1;
  const end = new Date(now.getFullYear(), now.getMonth(), now.getDate() + days);
  if (period === "month") return (end.getFullYear() - now.getFullYear()) * 12 + end.getMonth() - now.getMonth() + 1;
  return Math.floor((days + ((now.getDay() + 6) % 7)) / 7) + 1;
}

const money = (input) => {
  const text = input.value.trim().replace(",", ".").replace(/^\$/, "");
  const value = parse(text, 6);
  return value !== null && value > 0n ? value : null;
};

// Days, weeks and months begin where the holder lives: said once, by the browser that first needs it.
async function sayZone() {
  const said = await get("/v1/wallet/time-zone");
  if (said.time_zone === null) await put("/v1/wallet/time-zone", { time_zone: zone });
}

function example(key) {
  return `import openai

client = openai.OpenAI(
    base_url="${location.origin}/v1",
    api_key="${key}",
)`;
}

function showKey(made) {
  return dialog(`The key for ${made.label}`, [
    notice("warn", el("strong", {}, "Copy it now."), " It is shown this once; nobody can show it to you again."),
    el("code", { className: "secret", id: "new-key" }, made.api_key),
    el("div", { className: "row" }, copyButton(made.api_key, "Key")),
    el("p", {}, "Any app that lets you set an OpenAI key and address works with it. In Python:"),
    el("pre", { className: "secret small", tabindex: "0" }, example(made.api_key)),
  ]).closed;
}

// All permissions of a balance are counted together: the older keys go on by the new one, or what the new key spends would be
// taken from what they were signed for. Their own budgets stay.
async function widen(keys, voucher) {
  const most = BigInt(voucher.max_spend) / 1000000000n;
  for (const key of keys.filter((each) => BigInt(each.voucher.max_nanocredits) < most)) await patch(`/v1/wallet/keys/${key.id}`, { voucher });
}

function newKeyForm(balances, keys, models, refresh) {
  const label = el("input", { required: true, maxlength: "80", placeholder: "My chat app", autocomplete: "off" });
  const balance = el("select", {}, options(null, ...balances.map((each) => [each.token, `${each.kind === "official" ? "Official" : "Routed"} balance: ${each.symbol}, ${dollars(each.spendable_usd)} to spend`])));
  const amount = el("input", { inputmode: "decimal", value: "20", required: true });
  const period = el("select", {}, options("month", ...Object.entries(PERIODS)));
  const lasts = el("select", {}, options("365", ...LASTS));
  const only = el("select", { multiple: true, size: String(Math.min(6, Math.max(2, models.length))) }, options(null, ...models.map((model) => [model, model])));
  const total = el("p", { className: "notice" });
  const problem = el("div", {});
  const inAll = () => (money(amount) ?? 0n) * BigInt(periodsIn(period.value, Number(lasts.value)));
  const tell = () => {
    const until = Math.floor(Date.now() / 1000) + Number(lasts.value) * 86400;
    total.textContent = money(amount) === null ? "Write the budget in dollars, like 20."
      : `At most ${dollars(exact(money(amount), 6))} ${PERIODS[period.value]}, until ${day(until)}. You sign once, for ${dollars(exact(inAll(), 6))} in all${keys.length ? ", beside what your other keys may spend" : ""}; nothing is taken before it is used.`;
  };
  for (const input of [amount, period, lasts]) input.addEventListener("input", tell);
  tell();
  const form = el("form", { className: "fields", onsubmit: async (event) => {
    event.preventDefault();
    problem.replaceChildren();
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      if (money(amount) === null) throw new Error("Write the budget in dollars, like 20.");
      await sayZone();
      const others = keys.filter((key) => key.token === balance.value);
      const own = Number(lasts.value);
      // What is signed lasts as long as the longest of them; each key ends on its own day.
      const days = Math.max(own, ...others.map((key) => Math.ceil(((key.expires_at ? Date.parse(key.expires_at) : key.voucher.usable_until * 1000) - Date.now()) / 86400000)));
      const offer = await post("/v1/wallet/vouchers/offer", { token: balance.value, usd: exact(inAll(), 6), days, on_top: true });
      const voucher = { ...offer.voucher, signature: await signature(offer.typed_data) };
      const models = [...only.selectedOptions].map((option) => option.value);
      const made = await post("/v1/wallet/keys", {
        label: label.value.trim(),
        voucher,
        limits: [{ period: period.value, usd: exact(money(amount), 6) }],
        models: models.length ? models : null,
        expires_at: new Date((offer.usable_until - (days - own) * 86400) * 1000).toISOString(),
      });
      await widen(others.filter(({ account }) => account === made.account), voucher);
      await showKey(made);
      await refresh(notice("good", `The key for ${made.label} works from now on.`));
    } catch (error) {
      problem.replaceChildren(notice("bad", error.message));
    } finally {
      button.disabled = false;
    }
  } },
  field("Which app is it for?", label, "A name for yourself. The statement says what each app used."),
  field("Paid from", balance),
  el("div", { className: "pair" }, field("Budget in dollars", amount), field("For", period), field("Lasts", lasts)),
  el("details", {}, el("summary", {}, "Only some models"), field("Models it may use (choose none for all)", only)),
  total, problem, el("div", {}, el("button", {}, "Sign and make the key")));
  return form;
}

function keyRow(key, limits, refresh) {
  const [kind, text] = STATES[key.status];
  const own = limits.filter((limit) => limit.key === key.id);
  return el("li", { className: "stack" },
    el("div", { className: "row between" },
      el("span", {}, el("strong", {}, key.label), " ", key.hint && el("code", { className: "soft" }, `…${key.hint}`)),
      tag(kind, text)),
    el("p", { className: "soft small" }, `${key.kind === "official" ? "Official" : "Routed"} balance, ${key.symbol ?? ""}. `,
      key.models ? `Only ${key.models.join(", ")}. ` : "", key.expires_at ? ["Until ", when(key.expires_at), "."] : ""),
    own.map((limit) => limitBar(limit)),
    key.status === "open" && el("div", { className: "row" },
      actionButton("New secret", async () => {
        if (!(await confirm(`A new secret for ${key.label}?`, "You get a new key to put into the app. The old one works for one more hour.", "Make it"))) return;
        await showKey(await post(`/v1/wallet/keys/${key.id}/rotate`, { overlap_seconds: 3600 }));
        await refresh();
      }, { className: "quiet" }),
      actionButton("Switch off", async () => {
        if (!(await confirm(`Switch off the key for ${key.label}?`, "Its next request is refused. This cannot be undone; you can make a new key at any time.", "Switch off"))) return;
        await del(`/v1/wallet/keys/${key.id}`);
        await refresh(notice("good", `The key for ${key.label} is switched off.`));
      }, { className: "danger" })));
}

export function limitBar(limit) {
  const ceiling = BigInt(limit.ceiling_nanocredits);
  const percent = ceiling > 0n ? Number((BigInt(limit.used_nanocredits) * 100n) / ceiling) : 100;
  const [used, most] = limit.ceiling_usd === null ? [limit.used_credits, limit.ceiling_credits].map((text) => `${shown(text)} ${limit.symbol ?? ""}`) : [limit.used_usd, limit.ceiling_usd].map(dollars);
  const text = `${PERIOD_NAMES[limit.period]}: ${used} of ${most} used`;
  return el("div", { className: "stack" }, el("div", { className: "row between small" }, el("span", {}, text), percent >= 80 && tag(percent >= 100 ? "bad" : "warn", percent >= 100 ? "Used up" : `${percent} %`)), meter(text, percent));
}

function about(limit, keys) {
  const parts = [`${dollars(limit.ceiling_usd ?? "0")} ${PERIODS[limit.period]}`, limit.symbol];
  if (limit.key) parts.push(`for ${keys.find((key) => key.id === limit.key)?.label ?? "a key"}`);
  if (limit.model) parts.push(`for ${limit.model}`);
  if (limit.intent) parts.push(`for requests that ask for ${limit.intent}`);
  return parts.filter(Boolean).join(", ");
}

function limitRow(limit, keys, refresh) {
  const change = async () => {
    const amount = el("input", { inputmode: "decimal", value: limit.ceiling_usd ?? "" });
    const problem = el("div", {});
    const asked = dialog("Another amount", [field(`Dollars ${PERIODS[limit.period]}`, amount), problem, el("div", { className: "row" }, actionButton("Save", async () => {
      if (money(amount) === null) throw new Error("Write an amount in dollars, like 20.");
      await patch(`/v1/wallet/limits/${limit.id}`, { usd: exact(money(amount), 6) });
      asked.box.close("saved");
    }, { wrong: (error) => problem.replaceChildren(notice("bad", error.message)) }))]);
    if (await asked.closed) await refresh();
  };
  return el("li", { className: "stack" }, el("strong", {}, about(limit, keys)), limitBar(limit),
    el("p", { className: "soft small" }, "Begins anew ", when(limit.resets_at), "."),
    el("div", { className: "row" }, actionButton("Change", change, { className: "quiet" }), actionButton("Remove", async () => {
      if (!(await confirm("Remove this limit?", `From now on nothing holds spending to ${about(limit, keys)}.`, "Remove"))) return;
      await del(`/v1/wallet/limits/${limit.id}`);
      await refresh();
    }, { className: "danger" })));
}

function newLimitForm(balances, keys, refresh) {
  const balance = el("select", {}, options(null, ...balances.map((each) => [each.token, `${each.kind === "official" ? "Official" : "Routed"} balance: ${each.symbol}`])));
  const amount = el("input", { inputmode: "decimal", required: true });
  const period = el("select", {}, options("week", ...Object.entries(PERIODS)));
  const key = el("select", {}, options("", ["", "All apps together"], ...keys.filter((each) => each.status === "open").map((each) => [each.id, each.label])));
  const problem = el("div", {});
  const form = el("form", { className: "fields", onsubmit: async (event) => {
    event.preventDefault();
    problem.replaceChildren();
    try {
      if (money(amount) === null) throw new Error("Write an amount in dollars, like 20.");
      await sayZone();
      await post("/v1/wallet/limits", { token: balance.value, usd: exact(money(amount), 6), period: period.value, ...(key.value ? { key: key.value } : {}) });
      await refresh(notice("good", "The limit holds from the next request on."));
    } catch (error) {
      problem.replaceChildren(notice("bad", error.message));
    }
  } }, field("Of", balance), el("div", { className: "pair" }, field("At most, in dollars", amount), field("In", period)), field("For", key), problem, el("div", {}, el("button", {}, "Set the limit")));
  return form;
}

export async function render({ refresh }) {
  const [wallet, keys, limits, models] = await Promise.all([get("/v1/wallet"), get("/v1/wallet/keys"), get("/v1/wallet/limits"), get("/v1/models")]);
  const balances = wallet.balances;
  const names = models.data.map((model) => model.id).filter((id) => id.includes("/"));
  const standing = limits.data.filter((limit) => !limit.key);
  const working = keys.data.filter((key) => key.status === "open");
  const past = keys.data.filter((key) => key.status !== "open");
  return [
    el("div", {}, el("h1", {}, "Keys and limits"), el("p", { className: "soft" }, "An app gets a key of its own, with a budget. It can never spend more, and you can switch it off at any moment.")),
    card("Your keys",
      working.length ? el("ul", { className: "plain" }, working.map((key) => keyRow(key, limits.data, refresh))) : el("p", { className: "soft" }, "No app has a key yet."),
      past.length ? el("details", {}, el("summary", {}, `Keys that no longer work (${past.length})`), el("ul", { className: "plain" }, past.map((key) => keyRow(key, [], refresh)))) : null),
    card("A new key", balances.length ? newKeyForm(balances, working, names, refresh) : el("p", {}, "There is nothing to spend yet. ", el("a", { href: "/wallet/top-up" }, "Top up first"), ".")),
    card("Limits", el("p", { className: "soft" }, "However many apps and keys there are, a limit holds for all of them together. You are told at 50, 80 and 100 %."),
      standing.length ? el("ul", { className: "plain" }, standing.map((limit) => limitRow(limit, keys.data, refresh))) : el("p", { className: "soft" }, "No limit is set beyond those of the keys."),
      balances.length ? el("details", {}, el("summary", {}, "Set a limit"), newLimitForm(balances, keys.data, refresh)) : null),
  ];
}
