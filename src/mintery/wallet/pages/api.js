// Everything the pages ask the gateway. Errors carry the gateway's own code, and words for people.

export class Refused extends Error {
  constructor(status, body) {
    super(body?.error?.message ?? `the server answered ${status}`);
    this.status = status;
    this.code = body?.error?.code ?? "";
    this.facts = body?.error ?? {};
  }
}

export class Unreachable extends Error {
  constructor() { super("The server cannot be reached. Check your connection, then try again."); }
}

let csrf = null;

// What a signed-in browser sends beside its cookie with each call that changes something.
export function useCsrf(text) { csrf = text; }

async function ask(method, path, body, headers = {}) {
  let answer;
  try {
    answer = await fetch(path, {
      method,
      credentials: "same-origin",
      headers: {
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...(csrf && method !== "GET" ? { "Mintery-CSRF": csrf } : {}),
        ...headers,
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Unreachable();
  }
  const text = await answer.text();
  let json = null;
  try { json = text ? JSON.parse(text) : null; } catch { /* an answer that is no JSON has no words for people */ }
  if (!answer.ok) throw new Refused(answer.status, json);
  return json;
}

export const get = (path, headers) => ask("GET", path, undefined, headers);
export const post = (path, body = {}, headers) => ask("POST", path, body, headers);
export const put = (path, body) => ask("PUT", path, body);
export const patch = (path, body) => ask("PATCH", path, body);
export const del = (path, headers) => ask("DELETE", path, undefined, headers);
