// The operator's page: payments that wait for a person, money that is owed back, and what banks dispute.
import { del, get, post, Refused } from "./api.js";
import { dollars, shown } from "./amounts.js";
import { statusTag } from "./top_up.js";
import { actionButton, address, card, dialog, el, facts, field, notice, table, tag, when } from "./ui.js";

const RAILS = { card: "Card", bank: "Bank transfer", chain: "On chain" };

// What this tab sends beside the operator's cookie. A holder may be signed in here too, with another one.
let csrf = null;
const act = (path, body) => post(path, body, { "Mintery-CSRF": csrf });

function signInForm(refresh) {
  const key = el("input", { type: "password", autocomplete: "off", required: true });
  const problem = el("div", {});
  return card("Sign in as the operator", el("form", { className: "fields", onsubmit: async (event) => {
    event.preventDefault();
    try {
      await post("/v1/operator/sign-in", { key: key.value.trim() });
      await refresh();
    } catch (error) {
      problem.replaceChildren(notice("bad", error.message));
    }
  } }, field("Operator key", key, "MINTERY_OPERATOR_KEY of the gateway; `mintery up --json` tells its own."), problem, el("div", {}, el("button", {}, "Sign in"))));
}

function decide(order, decision, refresh) {
  const reason = el("input", { required: true, maxlength: "400" });
  const problem = el("div", {});
  const accepted = decision === "accepted";
  const asked = dialog(accepted ? "Accept this payment?" : "Refuse this payment?", [
    el("p", {}, accepted ? `Credits for ${dollars(order.paid_usd)} are created for its holder. This cannot be undone.` : `${dollars(order.paid_usd)} is owed back the way it came.`),
    field("Why", reason, "It is kept in the order's journal."),
    problem,
    el("div", { className: "row" }, actionButton(accepted ? "Accept" : "Refuse", async () => {
      if (!reason.value.trim()) throw new Error("Write why.");
      await act(`/admin/orders/${order.id}/decision`, { decision, reason: reason.value.trim() });
      asked.box.close("done");
    }, { className: accepted ? "" : "danger", wrong: (error) => problem.replaceChildren(notice("bad", error.message)) })),
  ]);
  asked.closed.then((done) => done && refresh(notice("good", `Order ${order.id} is decided.`)));
}

async function journal(id) {
  const told = await get(`/admin/orders/${id}`);
  await dialog("Journal", [el("p", { className: "soft small" }, "Of order ", el("code", {}, id)),
    table("Journal", [{ name: "When" }, { name: "What" }, { name: "By" }], told.history.map((each) => [when(each.at), each.kind.replaceAll("_", " "), each.by]))]).closed;
}

const journalButton = (id) => actionButton("Journal", () => journal(id), { className: "quiet" });

function orderRow(order, refresh) {
  return el("li", { className: "stack" },
    el("div", { className: "row between" }, el("strong", {}, dollars(order.paid_usd)), tag("warn", RAILS[order.rail])),
    order.paid_usd !== order.asked_usd && notice("warn", `${dollars(order.asked_usd)} was asked for.`),
    facts([["Why it waits", order.why], ["Reference", el("code", {}, order.reference ?? "none")], ["Payment", el("code", {}, order.payment)], ["Paid", when(order.paid_at)],
      ["Placed", when(order.placed_at)], ["Waits until", when(order.expires_at)], ["Holder", address(order.holder)], ["Order", el("code", {}, order.id)]], "wide"),
    el("div", { className: "row" },
      el("button", { type: "button", onclick: () => decide(order, "accepted", refresh) }, "Accept"),
      el("button", { type: "button", className: "danger", onclick: () => decide(order, "refused", refresh) }, "Refuse"),
      journalButton(order.id)));
}

function bankForm(refresh) {
  const reference = el("input", { required: true, autocomplete: "off" });
  const payment = el("input", { required: true, autocomplete: "off" });
  const usd = el("input", { required: true, inputmode: "decimal" });
  const at = el("input", { type: "datetime-local", required: true });
  const problem = el("div", {});
  return el("form", { className: "fields", onsubmit: async (event) => {
    event.preventDefault();
    problem.replaceChildren();
    try {
      await act("/admin/orders/payments", { reference: reference.value.trim(), payment: payment.value.trim(), usd: usd.value.trim(), at: new Date(at.value).toISOString() });
      await refresh(notice("good", "The transfer is noted; its order waits for a decision."));
    } catch (error) {
      problem.replaceChildren(notice("bad", error.message));
    }
  } }, field("What the transfer says", reference), field("The bank's own name of it", payment, "One name counts once, however often it is entered."),
  el("div", { className: "pair" }, field("Dollars", usd), field("When the bank had it", at)), problem, el("div", {}, el("button", {}, "Note it")));
}

function refundRow(refund, refresh) {
  const reference = el("input", { required: true });
  const problem = el("div", {});
  const done = async () => {
    const asked = dialog("Was it sent back?", [el("p", {}, `${dollars(refund.refund_usd)} for order ${refund.order}.`), field("The bank's name of the transfer", reference), problem,
      el("div", { className: "row" }, actionButton("It was sent", async () => {
        if (!reference.value.trim()) throw new Error("Write the bank's name of the transfer.");
        await act(`/admin/orders/refunds/${refund.id}/done`, { reference: reference.value.trim() });
        asked.box.close("done");
      }, { wrong: (error) => problem.replaceChildren(notice("bad", error.message)) }))]);
    if (await asked.closed) await refresh(notice("good", `${dollars(refund.refund_usd)}: noted as sent back.`));
  };
  return el("li", { className: "stack" },
    el("div", { className: "row between" }, el("strong", {}, dollars(refund.refund_usd)), tag("", RAILS[refund.rail])),
    el("p", { className: "soft" }, `${refund.why[0].toUpperCase()}${refund.why.slice(1)}. Owed since `, when(refund.due_at), "."),
    el("div", { className: "row" }, refund.rail === "bank" && actionButton("Sent back", done), journalButton(refund.order)));
}

const OUTCOMES = { open: ["bad", "Open"], won: ["good", "Won"], lost: ["bad", "Lost"] };

// What the payer's bank asks back, and where the credits are that were bought with it.
function disputeRow(dispute) {
  const [kind, text] = OUTCOMES[dispute.status] ?? ["", dispute.status];
  const credits = (name) => shown(dispute[`${name}_credits`]);
  return el("li", { className: "stack" },
    el("div", { className: "row between" }, el("strong", {}, dollars(dispute.disputed_usd)), tag(kind, text)),
    dispute.status === "open" && el("p", {}, "The payer's bank asks for this money back. Answer it at the card service; what is left of the credits is held back meanwhile."),
    dispute.status === "lost" && el("p", {}, `${dollars(dispute.lost_usd)} went back to the payer. What was used of the credits by then is your loss.`),
    dispute.status === "won" && el("p", {}, "The money stays, and the holder's credits are free again."),
    facts([["Why", (dispute.reason || "not said").replaceAll("_", " ")], ["Credits bought", credits("bought")], ["Held back of them", credits("frozen")], ["Used", credits("used")], ["Taken out", credits("taken_out")],
      ["Since", when(dispute.opened_at)], dispute.ended_at && ["Ended", when(dispute.ended_at)], ["Payment", el("code", {}, dispute.payment ?? "none")]], "wide"),
    el("div", { className: "row" }, journalButton(dispute.order)));
}

const STEPS = {
  mint: "Creating the credits", deposit: "Putting the credits into the balance", top_up: "Carrying out what the holder signed",
  release: "Giving the credits back to the holder", collect: "Collecting what the holder takes back",
};
const KEPT = {
  mint: "No credits were created: give the payment back.", deposit: "The credits are in the holder's own wallet, to be made spendable there.",
  top_up: "Nothing was taken from the holder.", release: "The credits are in the balance as before.", collect: "The credits stayed in the holder's own wallet, to be changed into dollars there.",
};
const stepOf = (kind) => STEPS[kind] ?? "Asking the card service, or paying back";

function waitingRow(met, refresh, wrong) {
  return el("li", { className: "stack" },
    el("div", { className: "row between" }, el("strong", {}, stepOf(met.kind)), tag("warn", `${met.tries} ${met.tries === 1 ? "try" : "tries"} so far`)),
    facts([["What it met", met.why], ["Since", when(met.since)], ["Tried again", when(met.next_try_at)], ["Of", el("code", {}, met.subject)]], "wide"),
    el("div", { className: "row" }, actionButton("Try now", async () => {
      await act(`/admin/orders/${met.subject}/retry`);
      await refresh(notice("good", "It is tried with the next run, in a few seconds."));
    }, { className: "quiet", wrong })));
}

function givenUpRow(call) {
  return el("li", { className: "stack" },
    el("div", { className: "row between" }, el("strong", {}, stepOf(call.kind)), call.at && when(call.at)),
    el("p", {}, KEPT[call.kind]),
    facts([["Why", call.why], ["Of", el("code", {}, call.subject)]], "wide"),
    call.subject.startsWith("ord_") && el("div", { className: "row" }, journalButton(call.subject)));
}

const listOr = (rows, none) => (rows.length ? el("ul", { className: "plain" }, rows) : el("p", { className: "soft" }, none));

export async function render({ refresh }) {
  try {
    ({ csrf } = await get("/v1/operator/sign-in"));
  } catch (error) {
    if (!(error instanceof Refused) || error.status !== 401) throw error;
    return [el("h1", {}, "Review"), signInForm(refresh)];
  }
  const [waiting, refunds, later, never, disputes, all] = await Promise.all([get("/admin/orders?queue=review"), get("/admin/orders?queue=refunds"),
    get("/admin/orders?queue=waiting"), get("/admin/orders?queue=given_up"), get("/admin/orders?queue=disputes"), get("/admin/orders?queue=all")]);
  const problem = el("div", {});
  const wrong = (error) => problem.replaceChildren(notice("bad", error.message));
  const open = disputes.data.filter(({ status }) => status === "open");
  const ended = disputes.data.filter(({ status }) => status !== "open");
  const signOut = actionButton("Stop reviewing", async () => {
    await del("/v1/operator/sign-in", { "Mintery-CSRF": csrf });
    await refresh();
  }, { className: "quiet" });
  return [
    el("div", { className: "row between" }, el("h1", {}, "Review"), signOut),
    card(`Payments that wait for a decision (${waiting.data.length})`, listOr(waiting.data.map((order) => orderRow(order, refresh)), "Nothing waits.")),
    disputes.data.length ? card(`Disputed by the payer's bank (${open.length})`, listOr(open.map(disputeRow), "None is open."),
      ended.length ? el("details", {}, el("summary", {}, `Ended (${ended.length})`), el("ul", { className: "plain" }, ended.map(disputeRow))) : null) : null,
    card("Note a bank transfer", el("details", {}, el("summary", {}, "From the bank's statement"), bankForm(refresh))),
    card(`Money that is owed back (${refunds.data.length})`, listOr(refunds.data.map((refund) => refundRow(refund, refresh)), "None.")),
    later.data.length ? card(`Held up, and tried again by itself (${later.data.length})`, problem, listOr(later.data.map((met) => waitingRow(met, refresh, wrong)))) : null,
    never.data.length ? card(`Given up: it can never take effect (${never.data.length})`, listOr(never.data.map(givenUpRow))) : null,
    card("Newest orders", all.data.length ? table("Newest orders", [{ name: "Placed" }, { name: "Dollars", number: true }, { name: "Paid by" }, { name: "State" }],
      all.data.map((order) => [el("button", { type: "button", className: "link", onclick: () => journal(order.id) }, when(order.placed_at)), dollars(order.asked_usd), RAILS[order.rail], statusTag(order)]), { tall: true }) : el("p", { className: "soft" }, "Nobody has placed one yet.")),
  ].filter(Boolean);
}
