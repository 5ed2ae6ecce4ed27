// Money as whole numbers. Decimal text in, decimal text out; nothing passes through a float.

export function parse(text, decimals) {
  const found = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text.trim());
  if (!found || (found[3] ?? "").length > decimals) return null;
  const whole = BigInt(found[2] + (found[3] ?? "").padEnd(decimals, "0"));
  return found[1] ? -whole : whole;
}

export function exact(amount, decimals) {
  const digits = String(amount < 0n ? -amount : amount).padStart(decimals + 1, "0");
  const whole = digits.slice(0, digits.length - decimals);
  const rest = decimals ? digits.slice(-decimals).replace(/0+$/, "") : "";
  return (amount < 0n ? "-" : "") + whole + (rest && `.${rest}`);
}

// For people: thousands parted, at least `least` digits after the point, and of what is below one so many that two are not nought.
// Cut, never rounded up: a balance is not shown larger than it is.
export function shown(text, least = 2) {
  const [sign, rest] = text.startsWith("-") ? ["−", text.slice(1)] : ["", text];
  const [whole, fraction = ""] = rest.split(".");
  let digits = least;
  if (whole === "0" && /[1-9]/.test(fraction)) digits = Math.max(least, fraction.search(/[1-9]/) + 2);
  const cut = fraction.slice(0, digits).padEnd(least, "0");
  return sign + whole.replace(/\B(?=(\d{3})+$)/g, ",") + (cut && `.${cut}`);
}

// Every digit that is there, thousands parted: for receipts.
export function full(text) {
  const [whole, fraction] = text.split(".");
  return whole.replace(/\B(?=(\d{3})+$)/g, ",") + (fraction ? `.${fraction}` : "");
}

export const dollars = (text) => (text.startsWith("-") ? `−$${shown(text.slice(1))}` : `$${shown(text)}`);

export const nano = (text) => exact(BigInt(text), 9);

// "0.000000375" by a million is "0.375".
export function times(text, power) {
  const [whole, fraction = ""] = text.split(".");
  const digits = whole + fraction.slice(0, power).padEnd(power, "0");
  const rest = fraction.slice(power);
  return digits.replace(/^0+(?=\d)/, "") + (rest && `.${rest}`);
}

// What a price is told by: tokens are sold by the million. A unit's variants follow it.
export function priceOf(usd, sku) {
  const [base, ...variants] = sku.slice(sku.lastIndexOf(":") + 1).replaceAll("_", " ").split(".");
  const after = variants.length ? `, ${variants.join(", ")}` : "";
  return base.endsWith("token") ? `${dollars(times(usd, 6))} per million ${base}s${after}` : `${dollars(usd)} per ${base}${after}`;
}
