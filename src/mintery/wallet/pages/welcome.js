// What is shown while nobody is signed in: choose a wallet app, or what to do without one.
import { signInAsDev, signInWith } from "./holder.js";
import { actionButton, card, el, field, notice } from "./ui.js";
import { onWalletApps, walletApps } from "./wallet_apps.js";

function appButton(app, wrong) {
  const picture = /^data:image\//.test(app.info.icon ?? "") ? el("img", { src: app.info.icon, alt: "", width: "24", height: "24" }) : null;
  const button = actionButton("", async () => { await signInWith(app); location.reload(); }, { className: "quiet", wrong });
  button.replaceChildren(...[picture, el("span", {}, `Sign in with ${app.info.name}`)].filter(Boolean));
  return button;
}

const without = () => [
  el("p", {}, el("strong", {}, "No wallet app was found in this browser.")),
  el("p", {}, "A wallet app holds the key to your account, and no password is needed here. Three ways on:"),
  el("ol", {},
    el("li", {}, "Add a wallet app that you trust to this browser, from the browser's own shop for extensions, then reload this page."),
    el("li", {}, "Have one on your phone? Open this page in the browser inside that app."),
    el("li", {}, "Only looking? ", el("a", { href: "/reserve" }, "See what backs the credits"), ", no account needed.")),
  el("p", {}, el("a", { className: "button quiet", href: location.href }, "Look for a wallet app again")),
];

function testSignIn(wrong) {
  const key = el("input", { type: "password", autocomplete: "off", required: true });
  const form = el("form", { className: "fields", onsubmit: async (event) => {
    event.preventDefault();
    try { await signInAsDev(key.value.trim()); location.reload(); } catch (error) { wrong(error); }
  } }, field("Test key", key, "The line “test key” that `mintery up` printed."), el("div", {}, el("button", {}, "Sign in as the test holder")));
  return el("details", {}, el("summary", {}, "Trying this out on your own machine?"), form);
}

export function welcome() {
  const problem = el("div", {});
  const wrong = (error) => problem.replaceChildren(notice("bad", error.message));
  const place = el("div", { className: "stack" });
  onWalletApps(() => {
    const apps = walletApps();
    place.replaceChildren(...(apps.length
      ? [el("p", {}, "Your wallet app asks you to sign a short text. That costs nothing and moves nothing."), el("div", { className: "row" }, apps.map((app) => appButton(app, wrong)))]
      : without()));
  });
  const test = document.querySelector(".test") !== null;
  return [
    el("div", {}, el("h1", {}, "One wallet for all your AI"),
      el("p", { className: "soft" }, "Top up once, use any app that takes it, and see what each request cost.")),
    card("Sign in", problem, place, test && testSignIn(wrong)),
    el("div", { className: "grid" },
      card("Top up", el("p", {}, "By card, bank transfer or digital dollars. What you have not used, you can get back.")),
      card("Use", el("p", {}, "Give an app a key with a limit that you set. Switch it off at any moment.")),
      card("See", el("p", {}, "Every request with its price before and its receipt after, and one statement for all of it."))),
  ];
}
