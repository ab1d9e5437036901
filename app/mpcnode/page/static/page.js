"use strict";

// How often the node is asked, in milliseconds.
const every = 2000;

const at = (id) => document.getElementById(id);

// element makes one with text; whatever the node says is text, never markup.
function element(name, text, className) {
  const e = document.createElement(name);
  if (text !== undefined && text !== null) e.textContent = String(text);
  if (className) e.className = className;
  return e;
}

// rows fills a table. A cell is text, or {text, small, className}.
function rows(id, list, empty) {
  const table = at(id);
  const names = [...table.querySelectorAll("th")].map((h) => h.textContent);
  const body = table.querySelector("tbody");
  body.replaceChildren(...list.map((cells) => {
    const row = element("tr");
    cells.forEach((cell, i) => {
      const c = cell !== null && typeof cell === "object" ? cell : { text: cell };
      const td = element("td");
      td.dataset.name = names[i];
      const what = element("span", c.text, c.className);
      if (c.small) what.append(element("small", c.small));
      td.append(what);
      row.append(td);
    });
    return row;
  }));
  if (list.length === 0) {
    const td = element("td", empty);
    td.colSpan = names.length;
    const row = element("tr");
    row.append(td);
    body.append(row);
  }
}

function facts(id, list) {
  at(id).replaceChildren(...list.map(([name, value, className]) => {
    const box = element("div");
    box.append(element("dt", name), element("dd", value, className));
    return box;
  }));
}

// since is how long ago something was, by the node's clock.
function since(then, now) {
  const s = Math.max(0, Math.round((Date.parse(now) - Date.parse(then)) / 1000));
  return s < 120 ? `${s} s` : `${Math.round(s / 60)} min`;
}

// losses says how many participants a key may lose before it cannot sign.
function losses(key) {
  if (key.status !== "READY") return "";
  if (key.losses < 0) return { text: "cannot sign", className: "bad" };
  if (key.losses === 0) return { text: "none", className: "warn", small: "the next loss ends it" };
  return { text: key.losses, className: "good" };
}

function keyRow(key) {
  const status = { READY: "good", ERROR: "bad", DELETING: "warn" }[key.status];
  const without = new Set([...key.missing, ...key.revoked]).size;
  const why = [];
  if (key.missing.length > 0) why.push("missing: " + key.missing.join(", "));
  if (key.revoked.length > 0) why.push("no identity: " + key.revoked.join(", "));
  const shares = { text: `${key.participants - without} of ${key.participants}`, className: without > 0 ? "warn" : "", small: why.join("; ") };
  return [
    { text: key.id, small: key.address },
    { text: key.status, className: status, small: key.reason || (key.reshare ? "reshare " + key.reshare : "") },
    key.epoch, shares, key.threshold + 1, losses(key),
  ];
}

function problems(state) {
  const list = [];
  const s = state.status;
  if (s.engine !== "running") list.push("The engine does not run: " + s.engine);
  if (s.problem) list.push(s.problem + (s.remedy ? ": " + s.remedy : ""));
  for (const w of s.warnings || []) list.push(`${w.reason}: ${w.detail}. ${w.remedy}`);
  if (s.clock_ahead_seconds) list.push(`catching_up: the clock of this node is ${Math.round(s.clock_ahead_seconds)} s ahead of the chain's, so it takes part in nothing. Set it right`);
  if (s.identity_outdated) list.push(`identity_outdated: the chain goes by version ${s.identity_outdated} of this validator's identity, whose key this node does not have. "mpc doctor" says what to do`);
  for (const w of s.withheld || []) list.push(`${w.key_id}: a share of epoch ${w.epoch} is kept though the chain has no use for it: ${w.why}. ${w.remedy}`);
  if ((s.unknown_keys || []).length > 0) list.push("The chain does not know these keys, whose shares are kept: " + s.unknown_keys.join(", "));
  for (const m of s.missing_shares || []) list.push(`${m.key_id}: ${m.what}`);
  if (s.audit_problem) list.push("Audit log: " + s.audit_problem);
  at("problems").hidden = list.length === 0;
  at("problems").querySelector("ul").replaceChildren(...list.map((text) => element("li", text)));
}

function show(state) {
  const s = state.status;
  at("chain").textContent = state.chain_id;
  document.title = "MPC " + state.chain_id;
  problems(state);
  facts("node", [
    ["Participant", s.operator || "none: follows the chain"],
    ["Block", s.height + (s.catching_up ? ", catching up" : ""), s.catching_up ? "warn" : ""],
    ["Open requests", s.open_requests],
    ["Sessions", s.sessions],
    ["Peers with the channel", s.peers, s.peers === 0 ? "bad" : ""],
    ["Pre-parameters", s.preparams, s.operator && s.preparams === 0 ? "warn" : ""],
    ["Presignatures, led / all", `${s.presignatures_ready} / ${s.presignatures_parked}`],
  ]);
  rows("keys", state.keys.map(keyRow), "no keys");
  rows("sessions", state.sessions.map((x) => [
    { text: x.request, small: x.key_id }, x.kind, x.phase,
    x.rounds ? `${x.round} of ${x.rounds}` : "", (x.awaiting || []).join(", "), since(x.opened, state.at),
  ]), "nothing runs");
  rows("refusals", state.refusals.map((x) => [
    { text: x.request, small: x.key_id }, { text: x.status, className: x.status === "ERROR" ? "bad" : "" },
    x.operator, { text: x.reason, className: "warn", small: x.remedy },
  ]), "nobody refuses what is open, or failed of late");
  rows("participants", state.participants.map((p) => [
    p.operator,
    p.self ? "this node" : p.direct ? { text: "directly", className: "good" } : { text: "by relay, if at all", className: "warn" },
    p.registered ? "version " + p.version : { text: "none", className: "bad" },
  ]), "nobody is registered");
  rows("faults", state.faults.map((f) => [
    f.height, f.participant, { text: f.reason, className: f.proof ? "bad" : "warn", small: f.proof ? "proof" : "accusation" }, f.request, f.accuser,
  ]), "none");
  at("connection").textContent = (state.keys_left_out ? "not all keys are shown; " : "") + "as of " + new Date(state.at).toLocaleTimeString();
  at("connection").className = "";
}

async function refresh() {
  try {
    const answer = await fetch("state.json", { cache: "no-store" });
    if (!answer.ok) throw new Error(await answer.text());
    show(await answer.json());
  } catch (err) {
    at("connection").textContent = "The node does not answer; what follows is old. " + err.message;
    at("connection").className = "bad";
  }
  setTimeout(refresh, every);
}

refresh();
