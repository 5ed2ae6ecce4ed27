// Everything that may act for the holder without asking again, on one page, each with a way to end it.
import { del, get } from "./api.js";
import { dollars, shown } from "./amounts.js";
import { actionButton, card, confirm, el, facts, notice, when } from "./ui.js";

const KINDS = {
  voucher: { name: "Signed permission", about: "An app that you gave it to, or the keys made under it, may spend up to this amount.", end: "Nothing can be spent by it any more, nor by the keys made under it." },
  key: { name: "Key", about: "An app may spend by it, as far as its limits allow.", end: "The app's next request is refused." },
  budget: { name: "Key with a budget", about: "An app may spend by it, up to its budget.", end: "The app's next request is refused." },
  membership: { name: "Membership", about: "It is paid each month until you end it.", end: "No further month is charged; the one that is paid runs to its end." },
  signature: { name: "One-time permission", about: "You signed it for one top-up, deposit or refund that is not done yet. It is used once, or runs out.", end: "Nothing here sends it any more. If it was on its way already, it may still be carried out." },
  sign_in: { name: "Signed-in browser or program", about: "It can do everything that you can do here.", end: "It is signed out at once." },
};
const ORDER = ["membership", "budget", "key", "voucher", "signature", "sign_in"];

function amount(authority) {
  if (authority.most_credits === null || authority.most_credits === undefined) return null;
  const credits = `${shown(authority.most_credits)} ${authority.symbol ?? ""}`;
  return authority.most_usd === null ? credits : `${dollars(authority.most_usd)} (${credits})`;
}

const PER = ["a day", "a week", "a month", "in all"];

function row(authority, refresh) {
  const kind = KINDS[authority.kind];
  const per = authority.terms.find((term) => PER.includes(term));
  const only = authority.terms.filter((term) => term !== per);
  const most = amount(authority) && [amount(authority), per].filter(Boolean).join(" ");
  return el("li", { className: "stack" },
    el("h3", {}, authority.label[0].toUpperCase() + authority.label.slice(1)),
    facts([
      most && ["At most", most],
      only.length > 0 && ["Only", only.join(", ")],
      authority.since && ["Since", when(authority.since)],
      authority.until && ["Ends by itself", when(authority.until)],
    ]),
    el("div", {}, actionButton("End it", async () => {
      if (!(await confirm(`End “${authority.label}”?`, `${kind.end} This cannot be undone.`, "End it"))) return;
      await del(`/v1/wallet/authorities/${encodeURIComponent(authority.id)}`);
      await refresh(notice("good", `“${authority.label}” has ended.`));
    }, { className: "danger" })));
}

export async function render({ refresh }) {
  const { data } = await get("/v1/wallet/authorities");
  const groups = ORDER.map((kind) => [kind, data.filter((authority) => authority.kind === kind)]).filter(([, some]) => some.length);
  return [
    el("div", {}, el("h1", {}, "Permissions"), el("p", { className: "soft" }, "Everything that may spend or act for you without asking again, on one page, each with its end. A permission that you signed elsewhere and gave to an app appears here once the app has used it.")),
    ...(groups.length ? groups.map(([kind, some]) => card(`${KINDS[kind].name}${some.length > 1 ? ` (${some.length})` : ""}`,
      el("p", { className: "soft" }, KINDS[kind].about), el("ul", { className: "plain" }, some.map((authority) => row(authority, refresh)))))
      : [card(null, el("p", {}, "Nobody has a permission of yours."))]),
  ];
}
