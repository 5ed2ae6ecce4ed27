// Finds the page that the address names and shows it in the shell.
import { Refused } from "./api.js";
import { el, notice } from "./ui.js";

const PAGES = [
  { path: "/reserve", name: "Reserve", title: "What backs the credits", file: "./reserve.js" },
];

function showNavigation(current) {
  const nav = document.getElementById("pages");
  nav.append(...PAGES.map(({ path, name }) => el("a", { href: path, "aria-current": path === current ? "page" : null }, name)));
  const menu = document.getElementById("menu");
  menu.addEventListener("click", () => {
    const open = nav.classList.toggle("open");
    menu.setAttribute("aria-expanded", String(open));
  });
}

async function showPage() {
  const page = PAGES.find(({ path }) => path === location.pathname.replace(/\/$/, "")) ?? PAGES[0];
  document.title = `${page.title} · Mintery`;
  showNavigation(page.path);
  const main = document.getElementById("main");
  try {
    const { render } = await import(page.file);
    main.replaceChildren(...(await render({ title: page.title })));
  } catch (error) {
    if (!(error instanceof Refused)) console.error(error);
    main.replaceChildren(el("h1", {}, page.title), notice("bad", el("p", {}, error.message), el("a", { href: location.href, className: "button quiet" }, "Try again")));
  }
}

showPage();
