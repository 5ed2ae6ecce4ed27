// The operator's page: payments that wait for a person, and money that is owed back by bank.
import { get, post, Refused, useCsrf } from "./api.js";
import { dollars } from "./amounts.js";
import { actionButton, address, card, dialog, el, facts, field, notice, table, tag, when } from "./ui.js";

const KEPT = "mintery-operator-csrf";
const RAILS = { card: "Card", bank: "Bank transfer", chain: "On chain" };

function signInForm(refresh) {
  const key = el("input", { type: "password", autocomplete: "off", required: true });
  const problem = el("div", {});
  return card("Sign in as the operator", el("form", { className: "fields", onsubmit: async (event) => {
    event.preventDefault();
    try {
      const begun = await post("/v1/operator/sign-in", { key: key.value.trim() });
      sessionStorage.setItem(KEPT, begun.csrf);
      await refresh();
    } catch (error) {
      problem.replaceChildren(notice("bad", error.message));
    }
  } }, field("Operator key", key), problem, el("div", {}, el("button", {}, "Sign in"))));
}

function decide(order, decision, refresh) {
  const reason = el("input", { required: true, maxlength: "400" });
  const problem = el("div", {});
  const accepted = decision === "accepted";
  const asked = dialog(accepted ? "Accept this payment?" : "Refuse this payment?", [
    el("p", {}, accepted ? `Credits for ${dollars(order.paid_usd)} are created for its holder. This cannot be undone.` : `${dollars(order.paid_usd)} is owed back over the same rail.`),
    field("Why", reason, "It is kept in the order's journal."),
    problem,
    el("div", { className: "row" }, actionButton(accepted ? "Accept" : "Refuse", async () => {
      if (!reason.value.trim()) throw new Error("Write why.");
      await post(`/admin/orders/${order.id}/decision`, { decision, reason: reason.value.trim() });
      asked.box.close("done");
    }, { className: accepted ? "" : "danger", wrong: (error) => problem.replaceChildren(notice("bad", error.message)) })),
  ]);
  asked.closed.then((done) => done && refresh(notice("good", `Order ${order.id} is decided.`)));
}

async function journal(order) {
  const told = await get(`/admin/orders/${order.id}`);
  await dialog(`Journal of ${order.id}`, [table("Journal", [{ name: "When" }, { name: "What" }, { name: "By" }], told.history.map((each) => [when(each.at), each.kind.replaceAll("_", " "), each.by]))]).closed;
}

function orderRow(order, refresh) {
  return el("li", { className: "stack" },
    el("div", { className: "row between" }, el("strong", {}, dollars(order.paid_usd)), tag("warn", RAILS[order.rail])),
    order.paid_usd !== order.asked_usd && notice("warn", `${dollars(order.asked_usd)} was asked for.`),
    facts([["Why it waits", order.why], ["Reference", el("code", {}, order.reference ?? "")], ["Payment", el("code", {}, order.payment)], ["Paid", when(order.paid_at)],
      ["Placed", when(order.placed_at)], ["Waits until", when(order.expires_at)], ["Holder", address(order.holder)], ["Order", el("code", {}, order.id)]], "wide"),
    el("div", { className: "row" },
      el("button", { type: "button", onclick: () => decide(order, "accepted", refresh) }, "Accept"),
      el("button", { type: "button", className: "danger", onclick: () => decide(order, "refused", refresh) }, "Refuse"),
      actionButton("Journal", () => journal(order), { className: "quiet" })));
}

function bankForm(refresh) {
  const reference = el("input", { required: true, autocomplete: "off" });
  const payment = el("input", { required: true, autocomplete: "off" });
  const usd = el("input", { required: true, inputmode: "decimal" });
  const at = el("input", { type: "datetime-local", required: true });
  const problem = el("div", {});
  return el("form", { className: "fields", onsubmit: async (event) => {
    event.preventDefault();
    try {
      await post("/admin/orders/payments", { reference: reference.value.trim(), payment: payment.value.trim(), usd: usd.value.trim(), at: new Date(at.value).toISOString() });
      await refresh(notice("good", "The transfer is noted; its order waits for a decision."));
    } catch (error) {
      problem.replaceChildren(notice("bad", error.message));
    }
  } }, field("What the transfer says", reference), field("The bank's own name of it", payment, "One name counts once, however often it is entered."),
  el("div", { className: "pair" }, field("Dollars", usd), field("When the bank had it", at)), problem, el("div", {}, el("button", {}, "Note it")));
}

function refundRow(refund, refresh) {
  const reference = el("input", { required: true });
  const done = async () => {
    const asked = dialog("Was it sent back?", [el("p", {}, `${dollars(refund.refund_usd)} for order ${refund.order}.`), field("The bank's name of the transfer", reference),
      el("div", { className: "row" }, actionButton("It was sent", async () => {
        await post(`/admin/orders/refunds/${refund.id}/done`, { reference: reference.value.trim() });
        asked.box.close("done");
      }))]);
    if (await asked.closed) await refresh();
  };
  return el("li", { className: "row between" }, el("span", {}, el("strong", {}, dollars(refund.refund_usd)), ` ${RAILS[refund.rail]}, ${refund.why}`), refund.rail === "bank" && actionButton("Sent back", done, { className: "quiet" }));
}

export async function render({ refresh }) {
  useCsrf(sessionStorage.getItem(KEPT));
  let waiting;
  try {
    waiting = await get("/admin/orders?queue=review");
  } catch (error) {
    if (!(error instanceof Refused) || ![401, 403].includes(error.status)) throw error;
    return [el("h1", {}, "Review"), signInForm(refresh)];
  }
  const refunds = await get("/admin/orders?queue=refunds");
  const all = await get("/admin/orders?queue=all");
  return [
    el("h1", {}, "Review"),
    card(`Payments that wait for a decision (${waiting.data.length})`, waiting.data.length ? el("ul", { className: "plain" }, waiting.data.map((order) => orderRow(order, refresh))) : el("p", { className: "soft" }, "Nothing waits.")),
    card("Note a bank transfer", el("details", {}, el("summary", {}, "From the bank's statement"), bankForm(refresh))),
    card(`Money that is owed back (${refunds.data.length})`, refunds.data.length ? el("ul", { className: "plain" }, refunds.data.map((refund) => refundRow(refund, refresh))) : el("p", { className: "soft" }, "None.")),
    card("Newest orders", table("Newest orders", [{ name: "Placed" }, { name: "Dollars", number: true }, { name: "Rail" }, { name: "State" }],
      all.data.map((order) => [el("button", { type: "button", className: "link", onclick: () => journal(order) }, when(order.placed_at)), dollars(order.asked_usd), RAILS[order.rail], order.status.replaceAll("_", " ")]))),
  ];
}
