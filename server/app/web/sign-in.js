// Signs a browser in: makes a key that cannot leave it, shows it as a code, and asks until a phone has let it in.
// What it signs is written out in docs/services.md; there is no other code on this page.
"use strict";

const POLL_MS = 2_000;
const READ_MS = 15_000;
const MONTH_S = 31 * 24 * 60 * 60;
const base = document.body.dataset.base || location.origin;
const utf8 = (text) => new TextEncoder().encode(text);
const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const base64 = (bytes) => btoa(String.fromCharCode(...bytes));
const base64url = (bytes) => base64(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
const show = (id, visible) => { document.getElementById(id).hidden = !visible; };

// What the server's clock is ahead of this one.
let offset = 0;
const seconds = () => Math.floor((Date.now() + offset) / 1_000);

function tell(state) {
  const text = document.querySelector(`[data-text="${state}"]`).textContent;
  const status = document.getElementById("status");
  if (status.textContent !== text) status.textContent = text;
  document.body.dataset.state = state;
}

// The key, kept by the browser; scripts can use it and never see it.
function keys(mode, use) {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open("moa", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("keys");
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const asked = use(opening.result.transaction("keys", mode).objectStore("keys"));
      asked.onsuccess = () => resolve(asked.result);
      asked.onerror = () => reject(asked.error);
    };
  });
}

async function ownKey() {
  let pair = await keys("readonly", (store) => store.get("browser"));
  if (!pair) {
    pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
    await keys("readwrite", (store) => store.put(pair, "browser"));
  }
  const point = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  return { pair, point, id: (await sha256(point)).slice(0, 8), counter: 0 };
}

const sign = async (key, bytes) =>
  new Uint8Array(await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, key.pair.privateKey, bytes));

// Deterministic CBOR (RFC 8949): whole numbers, byte strings, texts, arrays.
function head(major, value) {
  if (value < 24) return [(major << 5) | value];
  const width = value < 2 ** 8 ? 1 : value < 2 ** 16 ? 2 : value < 2 ** 32 ? 4 : 8;
  const bytes = Array.from({ length: width }, (_, at) => Math.floor(value / 2 ** (8 * (width - 1 - at))) % 256);
  return [(major << 5) | (24 + Math.log2(width)), ...bytes];
}

function cbor(value) {
  if (typeof value === "number") return head(0, value);
  if (typeof value === "string") return [...head(3, utf8(value).length), ...utf8(value)];
  if (value instanceof Uint8Array) return [...head(2, value.length), ...value];
  return [...head(4, value.length), ...value.flatMap(cbor)];
}

// COSE_Sign1 (RFC 9052) with ES256; `kind` is what it is a token of.
async function token(key, kind, fields) {
  const es256 = Uint8Array.of(0xa1, 0x01, 0x26);
  const payload = Uint8Array.from(cbor(fields));
  const signature = await sign(key, Uint8Array.from(cbor(["Signature1", es256, utf8(kind), payload])));
  return base64(Uint8Array.from([0x84, ...cbor(es256), 0xa0, ...cbor(payload), ...cbor(signature)]));
}

// A proof of possession (RFC 9449).
async function proof(key, method, path, access) {
  const half = (from) => base64url(key.point.slice(from, from + 32));
  const jwk = { kty: "EC", crv: "P-256", x: half(1), y: half(33) };
  const claims = { jti: crypto.randomUUID(), htm: method, htu: base + path, iat: seconds() };
  if (access) claims.ath = base64url(await sha256(utf8(access)));
  const parts = [{ typ: "dpop+jwt", alg: "ES256", jwk }, claims];
  const signed = parts.map((part) => base64url(utf8(JSON.stringify(part)))).join(".");
  return `${signed}.${base64url(await sign(key, utf8(signed)))}`;
}

// Asks the server; once more at once, if this clock was off.
async function ask(key, method, path, { body, access } = {}) {
  for (let again = false; ; again = true) {
    const headers = { DPoP: await proof(key, method, path, access) };
    if (access) headers.Authorization = `DPoP ${access}`;
    if (body) headers["Content-Type"] = "application/json";
    const answer = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
    const value = await answer.json();
    if (answer.ok) return value;
    if (value.code === "proof_stale" && !again) {
      offset = value.now - Date.now();
      continue;
    }
    throw Object.assign(new Error(value.code), { status: answer.status });
  }
}

// A session of this key: its own word for itself. Null while no phone has let it in.
async function begin(key) {
  const now = seconds();
  const endorsement = await token(key, "moa/session", [1, key.id, key.point, now, now + MONTH_S]);
  try {
    const body = { endorsement, name: document.body.dataset.name };
    return await ask(key, "POST", "/v1/sessions", { body });
  } catch (problem) {
    if (problem.status === 401) return null;
    throw problem;
  }
}

async function balances(key, access) {
  const { lots, now } = await ask(key, "GET", "/v1/snapshot", { access });
  const sums = new Map();
  for (const lot of lots.filter((lot) => lot.ends_at > now)) {
    sums.set(lot.group, (sums.get(lot.group) ?? 0) + lot.remaining - lot.held);
  }
  const named = [...sums].map(async ([id, units]) => {
    const { group } = await ask(key, "GET", `/v1/groups/${id}`, { access });
    return [group.profile.name, units];
  });
  return Promise.all(named);
}

function list(balances) {
  const lines = balances.map(([name, units]) => {
    const line = document.createElement("li");
    for (const text of [name, units.toLocaleString(document.documentElement.lang)]) {
      line.append(Object.assign(document.createElement("span"), { textContent: text }));
    }
    return line;
  });
  document.getElementById("balance").replaceChildren(...lines);
}

// Ends this browser's key for good; no phone is needed for that.
async function signOut(key) {
  const id = crypto.getRandomValues(new Uint8Array(16));
  id.set(Uint8Array.from({ length: 6 }, (_, at) => Math.floor((Date.now() + offset) / 2 ** (40 - 8 * at)) % 256));
  id[6] = 0x70 | (id[6] & 0x0f);
  id[8] = 0x80 | (id[8] & 0x3f);
  const REVOKE_DEVICE = 14;
  const op = await token(key, "moa/op", [1, id, key.id, 1, seconds(), [REVOKE_DEVICE, key.id]]);
  await ask(key, "POST", "/v1/ops", { body: { ops: [op] } });
}

async function forgetKey() {
  await keys("readwrite", (store) => store.delete("browser"));
}

const wait = (millis) => new Promise((resolve) => setTimeout(resolve, millis));
const looked = () => document.hidden
  ? new Promise((resolve) => document.addEventListener("visibilitychange", resolve, { once: true }))
  : Promise.resolve();

async function waitToBeLetIn(key) {
  const coordinates = hex(key.point.slice(1));
  document.getElementById("code").src = `/sign-in/code/${coordinates}`;
  document.getElementById("here").href = `moa://b/${coordinates}`;
  show("asking", true);
  for (;;) {
    await looked();
    try {
      const session = await begin(key);
      if (session) return session;
      if (document.body.dataset.state !== "ended") tell("waiting");
    } catch {
      tell("offline");
    }
    await wait(POLL_MS);
  }
}

async function stayIn(key, session) {
  let { token: access } = session;
  let out = false;
  document.getElementById("out").onclick = async () => {
    try {
      await signOut(key);
      out = true;
    } catch {
      tell("offline");
    }
  };
  for (let read = 0; !out; await wait(200)) {
    if (Date.now() < read + READ_MS) continue;
    await looked();
    try {
      list(await balances(key, access));
      show("inside", true);
      tell("signed-in");
    } catch (problem) {
      if (problem.message === "session_over") {
        const next = await ask(key, "POST", "/v1/sessions/refresh", { body: { refresh: session.refresh } })
          .catch((problem) => problem);
        if (next.token) {
          access = next.token;
          continue;
        }
        if (next.status === 401) return;
      } else if (problem.status === 401) {
        return;
      }
      tell("offline");
    }
    read = Date.now();
  }
}

async function main() {
  tell("preparing");
  for (;;) {
    const key = await ownKey();
    const session = await waitToBeLetIn(key);
    show("asking", false);
    await stayIn(key, session);
    await forgetKey();
    show("inside", false);
    tell("ended");
  }
}

main().catch(() => tell("unable"));
