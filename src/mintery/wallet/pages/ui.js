// Building blocks of every page. Text goes in as text, never as markup.

export function el(tag, properties, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked") node[name] = value;
    else node.setAttribute(name === "className" ? "class" : name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export const svg = (tag, properties, ...children) => {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(properties)) node.setAttribute(name, value);
  node.append(...children);
  return node;
};

export const card = (title, ...children) => el("section", { className: "card stack" }, title && el("h2", {}, title), ...children);

export const notice = (kind, ...children) => el("div", { className: `notice ${kind}`, role: kind === "bad" ? "alert" : null }, ...children);

export const tag = (kind, text) => el("span", { className: `tag ${kind}` }, text);

export const facts = (rows, className = "") =>
  el("dl", { className: `facts ${className}` }, rows.filter(Boolean).flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));

// columns: {name, number, wide}; rows: arrays of nodes or text, as many as columns.
export function table(caption, columns, rows, { tall = false, foot = null } = {}) {
  const classes = columns.map((column) => [column.number && "number", column.wide && "wide"].filter(Boolean).join(" ") || null);
  const line = (cells) => el("tr", {}, cells.map((cell, at) => el("td", { className: classes[at] }, cell)));
  return el("div", { className: "scroll", tabindex: "0", role: "group", "aria-label": caption },
    el("table", { className: tall ? "tall" : null },
      el("caption", { className: "hidden" }, caption),
      el("thead", {}, el("tr", {}, columns.map((column, at) => el("th", { scope: "col", className: classes[at] }, column.name)))),
      el("tbody", {}, rows.map(line)),
      foot && el("tfoot", {}, line(foot))));
}

let saying;
export function say(text) {
  const place = document.getElementById("said");
  clearTimeout(saying);
  place.textContent = text;
  saying = setTimeout(() => { place.textContent = ""; }, 6000);
}

// A button that cannot be pressed twice while its work is under way; what goes wrong is shown where `wrong` says.
export function actionButton(text, work, { className = "", wrong = (error) => say(error.message), ...rest } = {}) {
  const button = el("button", { type: "button", className, ...rest }, text);
  button.addEventListener("click", async () => {
    button.disabled = true;
    try { await work(); } catch (error) { wrong(error); } finally { button.disabled = false; }
  });
  return button;
}

export const copyButton = (text, what) =>
  actionButton("Copy", async () => {
    await navigator.clipboard.writeText(text);
    say(`${what} copied`);
  }, { className: "quiet", "aria-label": `Copy ${what}` });

// Resolves with what the dialog was closed with; Escape and a click outside resolve with "".
export function dialog(title, children, { drawer = false } = {}) {
  const heading = el("h2", { id: "dialog-title" }, title);
  const close = el("button", { type: "button", className: "quiet", onclick: () => box.close("") }, "Close");
  const box = el("dialog", { className: drawer ? "drawer" : null, "aria-labelledby": "dialog-title" },
    el("div", { className: "stack" }, el("div", { className: "row between" }, heading, close), ...children));
  box.addEventListener("click", (event) => { if (event.target === box) box.close(""); });
  document.body.append(box);
  const back = document.activeElement;
  box.showModal();
  const closed = new Promise((resolve) => {
    box.addEventListener("close", () => {
      box.remove();
      back?.focus?.();
      resolve(box.returnValue);
    });
  });
  return { box, closed };
}

export async function confirm(title, text, action) {
  const yes = el("button", { type: "button", className: "danger" }, action);
  const asked = dialog(title, [el("p", {}, text), el("div", { className: "row" }, yes)]);
  yes.addEventListener("click", () => asked.box.close("yes"));
  return (await asked.closed) === "yes";
}

let names = 0;
export function field(label, input, hint) {
  const id = input.id || `field-${(names += 1)}`;
  input.id = id;
  const told = hint && el("p", { className: "hint", id: `${id}-hint` }, hint);
  if (told) input.setAttribute("aria-describedby", `${id}-hint`);
  return el("div", {}, el("label", { for: id }, label), input, told);
}

export function options(chosen, ...pairs) {
  return pairs.map(([value, text]) => el("option", { value, selected: value === chosen }, text));
}

export const short = (address) => `${address.slice(0, 6)}…${address.slice(-4)}`;

export const address = (text) => el("code", {}, text);

export function when(instant) {
  const date = new Date(typeof instant === "number" ? instant * 1000 : instant);
  const text = date.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
  return el("time", { datetime: date.toISOString(), title: date.toISOString() }, text);
}

export const day = (instant) =>
  new Date(typeof instant === "number" ? instant * 1000 : instant).toLocaleDateString(undefined, { day: "numeric", month: "short", year: "numeric" });

export const clock = (instant) => new Date(instant * 1000).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });
