// Finds the page that the address names and shows it in the shell.
import { Refused } from "./api.js";
import { holder, signOut, watchAccount } from "./holder.js";
import { actionButton, el, notice, short } from "./ui.js";
import { onWalletApps } from "./wallet_apps.js";
import { welcome } from "./welcome.js";

const PAGES = [
  { path: "/wallet", name: "Home", title: "Home", file: "./home.js" },
  { path: "/wallet/top-up", name: "Top up", title: "Top up", file: "./top_up.js" },
  { path: "/wallet/keys", name: "Keys and limits", title: "Keys and limits", file: "./keys.js" },
  { path: "/wallet/activity", name: "Activity", title: "Activity", file: "./activity.js" },
  { path: "/wallet/statement", name: "Statement", title: "Statement", file: "./statement.js" },
  { path: "/wallet/memberships", name: "Memberships", title: "Memberships", file: "./memberships.js" },
  { path: "/wallet/send", name: "Send", title: "Send", file: "./send.js" },
  { path: "/wallet/take-out", name: "Take out", title: "Take out", file: "./take_out.js" },
  { path: "/wallet/permissions", name: "Permissions", title: "Permissions", file: "./permissions.js" },
  { path: "/wallet/review", name: "Review", title: "Review", file: "./review.js", hidden: true, open: true },
  { path: "/reserve", name: "Reserve", title: "What backs the credits", file: "./reserve.js", open: true },
];

function showNavigation(current) {
  const nav = document.getElementById("pages");
  const shown = PAGES.filter(({ hidden, path }) => !hidden || path === current);
  nav.append(...shown.map(({ path, name }) => el("a", { href: path, "aria-current": path === current ? "page" : null }, name)));
  const menu = document.getElementById("menu");
  menu.addEventListener("click", () => {
    const open = nav.classList.toggle("open");
    menu.setAttribute("aria-expanded", String(open));
  });
}

function showHolder(signedIn) {
  const place = document.getElementById("who");
  if (!signedIn) return;
  place.replaceChildren(el("span", { className: "soft", title: signedIn.holder }, "Account ", el("code", {}, short(signedIn.holder))),
    actionButton("Sign out", signOut, { className: "quiet" }));
}

function warnOfAccount(account) {
  document.getElementById("account-changed")?.remove();
  const text = account
    ? `Your wallet app now shows the account ${short(account)}. This page is still signed in as the other one: nothing is signed until you switch back, or sign out and in again.`
    : "Your wallet app is locked or was disconnected. Unlock it to sign anything here.";
  const warning = notice("warn", text);
  warning.id = "account-changed";
  warning.setAttribute("role", "alert");
  document.getElementById("main").prepend(warning);
}

async function fill(page, main, told = null) {
  try {
    const signedIn = page.open ? null : await holder();
    showHolder(page.open ? await holder().catch(() => null) : signedIn);
    if (!page.open && !signedIn) {
      main.replaceChildren(...welcome());
      return;
    }
    const { render } = await import(page.file);
    const nodes = await render({ title: page.title, refresh: (news) => fill(page, main, news) });
    main.replaceChildren(...[told, ...nodes].filter(Boolean));
    if (told) main.focus();
  } catch (error) {
    if (!(error instanceof Refused)) console.error(error);
    main.replaceChildren(el("h1", {}, page.title), notice("bad", el("p", {}, error.message), el("a", { href: location.href, className: "button quiet" }, "Try again")));
  }
}

async function showPage() {
  const page = PAGES.find(({ path }) => path === location.pathname.replace(/\/$/, "")) ?? PAGES[0];
  document.title = `${page.title} · Mintery`;
  showNavigation(page.path);
  await fill(page, document.getElementById("main"));
  onWalletApps(() => watchAccount(warnOfAccount));
}

showPage();
