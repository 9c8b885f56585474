// The tools beside the messages: clock, replies, faults, reset.

import { button, byId, make } from "./dom.js";
import { clockTime, day, latinDigits, offset, titleOf } from "./text.js";

const STEPS = [
  ["+10 s", 10],
  ["+1 min", 60],
  ["+10 min", 600],
  ["+1 h", 3600],
  ["+1 day", 86400],
];

async function ask(method, path, body) {
  const headers = body === undefined ? {} : { "Content-Type": "application/json" };
  let response;
  try {
    response = await fetch(`emulator/${path}`, { method, headers, body: JSON.stringify(body) });
  } catch {
    throw new Error("The emulator does not answer.");
  }
  const answer = await response.json().catch(() => ({ error: `HTTP ${response.status}` }));
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

export const about = () => ask("GET", "about");

async function attempt(note, action) {
  note.textContent = "";
  delete note.dataset.kind;
  try {
    note.textContent = (await action()) ?? "";
    note.dataset.kind = "done";
  } catch (error) {
    note.textContent = error.message;
    note.dataset.kind = "failed";
  }
}

function fillOptions(select, options) {
  const chosen = select.value;
  select.replaceChildren(...options.map(([value, label]) => make("option", { value }, label)));
  if (options.some(([value]) => value === chosen)) select.value = chosen;
}

export class ClockPanel {
  constructor() {
    this.ahead = 0;
    const move = (body) => attempt(byId("clock-note"), () => ask("POST", "clock", body).then(() => null));
    this.back = button("Real time", () => move({ set: new Date().toISOString() }), { class: "quiet" });
    byId("clock-buttons").append(...STEPS.map(([label, advance]) => button(label, () => move({ advance }))), this.back);
    setInterval(() => this.draw(), 1000);
    this.draw();
  }

  now() {
    return new Date(Date.now() + this.ahead);
  }

  update({ now, offset: seconds }) {
    this.ahead = Date.parse(now) - Date.now();
    this.offset = offset(seconds);
    this.draw();
  }

  draw() {
    const now = this.now();
    byId("clock-time").textContent = clockTime(now);
    byId("clock-time").dateTime = now.toISOString();
    byId("clock-offset").textContent = this.offset ? `${day(now)} · ${this.offset}` : `${day(now)} · real time`;
    this.back.hidden = !this.offset;
  }
}

export class ReplyPanel {
  constructor() {
    this.form = byId("reply");
    this.fields = this.form.elements;
    this.lines = {};
    this.fields.gateway.addEventListener("change", () => this.fillLines());
    this.fields.text.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.form.requestSubmit();
    });
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      attempt(this.form.querySelector(".note"), () => this.send());
    });
  }

  fill({ gateways }) {
    const receiving = gateways.filter(({ lines }) => lines.length);
    this.lines = Object.fromEntries(receiving.map(({ name, lines }) => [name, lines]));
    fillOptions(this.fields.gateway, receiving.map(({ name }) => [name, titleOf(name)]));
    this.fillLines();
  }

  fillLines() {
    fillOptions(this.fields.line, (this.lines[this.fields.gateway.value] ?? []).map((line) => [line, line]));
  }

  receives(gateway) {
    return gateway in this.lines;
  }

  answer(message) {
    this.fields.gateway.value = message.gateway;
    this.fillLines();
    if (this.lines[message.gateway].includes(message.line)) this.fields.line.value = message.line;
    this.fields.sender.value = message.recipient;
    this.fields.text.focus();
  }

  async send() {
    const { gateway, line, sender, text } = this.fields;
    const body = { gateway: gateway.value, line: line.value, sender: plainNumber(sender.value), text: text.value };
    const message = await ask("POST", "inbox", body);
    text.value = "";
    return `In the inbox of ${titleOf(message.gateway)} as ${message.id}; received() finds it.`;
  }
}

// Digits as a gateway writes them; a sender that is a name stays one.
function plainNumber(text) {
  const plain = latinDigits(text).trim();
  return /^[0-9+\s()-]+$/.test(plain) ? plain.replace(/[\s()-]/g, "") : plain;
}

export class FaultPanel {
  constructor() {
    this.form = byId("fault");
    this.fields = this.form.elements;
    this.kinds = [];
    this.fields.kind.addEventListener("change", () => this.drawKind());
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      attempt(this.form.querySelector(".note"), () => this.order());
    });
    byId("clear-faults").addEventListener("click", () => {
      attempt(this.form.querySelector(".note"), () => ask("DELETE", "faults").then(() => "Cleared."));
      byId("fault-title").closest("section").querySelector("select").focus();
    });
  }

  fill({ gateways, faults }) {
    this.kinds = faults;
    fillOptions(this.fields.kind, faults.map(({ kind }) => [kind, kind.replaceAll("_", " ")]));
    fillOptions(this.fields.gateway, [["", "Any"], ...gateways.map(({ name }) => [name, titleOf(name)])]);
    this.drawKind();
  }

  drawKind() {
    const { text, arguments: taken } = this.kinds.find(({ kind }) => kind === this.fields.kind.value);
    const pieces = text.split("`").map((piece, place) => (place % 2 ? make("code", {}, piece) : piece));
    byId("fault-text").replaceChildren(...pieces);
    byId("fault-arguments").replaceChildren(...taken.map(argumentField));
  }

  async order() {
    const body = { kind: this.fields.kind.value, times: Number(latinDigits(this.fields.times.value)) };
    for (const name of ["gateway", "path"]) if (this.fields[name].value) body[name] = this.fields[name].value;
    for (const input of byId("fault-arguments").querySelectorAll("[data-argument]")) {
      const value = argumentValue(input);
      if (value !== undefined) body[input.dataset.argument] = value;
    }
    await ask("POST", "faults", body);
    return "Ordered.";
  }

  update(faults) {
    byId("no-faults").hidden = faults.length > 0;
    byId("clear-faults").hidden = faults.length === 0;
    byId("ordered").replaceChildren(...faults.map(orderedFault));
  }
}

function orderedFault({ kind, gateway, path, status, seconds, remaining, probability }) {
  const what = [kind.replaceAll("_", " "), status, seconds !== undefined && `${seconds} s`].filter(Boolean).join(" ");
  const where = [gateway ? titleOf(gateway) : "any gateway", path].filter(Boolean).join(" · ");
  return make(
    "li",
    {},
    make("span", { class: "what" }, what),
    make("span", { class: "where" }, where),
    make("span", { class: "left" }, `${probability < 1 ? `${100 * probability} % ` : ""}×${remaining ?? "∞"}`),
  );
}

function argumentField({ name, type, required, default: preset }) {
  const common = { "data-argument": name, "data-type": type, required };
  const label = name.replaceAll("_", " ");
  if (type === "boolean") {
    return make("label", { class: "check" }, make("input", { ...common, type: "checkbox", checked: preset }), label);
  }
  const number = type === "number" || type === "integer";
  const shown = type === "object" ? '{"Retry-After": "5"}' : null;
  return make(
    "label",
    {},
    label,
    make("input", {
      ...common,
      type: number ? "number" : "text",
      min: type === "number" && "0",
      step: number && (type === "number" ? "any" : "1"),
      value: typeof preset === "object" ? null : preset,
      placeholder: shown,
      spellcheck: "false",
    }),
  );
}

function argumentValue(input) {
  const { argument, type } = input.dataset;
  if (type === "boolean") return input.checked;
  if (!input.value) return undefined;
  if (type === "text") return input.value;
  if (type !== "object") return Number(input.value);
  try {
    return JSON.parse(input.value);
  } catch {
    throw new Error(`${argument} must be a JSON object, such as {"Retry-After": "5"}`);
  }
}

export class ResetPanel {
  constructor() {
    byId("reset").addEventListener("click", () => this.ask(true));
    byId("reset-no").addEventListener("click", () => this.ask(false));
    byId("reset-yes").addEventListener("click", () => {
      this.ask(false);
      attempt(byId("reset-note"), () => ask("POST", "reset", {}).then(() => "A fresh start."));
    });
    byId("reset-confirmation").addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.ask(false);
    });
  }

  ask(open) {
    byId("reset-note").textContent = "";
    byId("reset").hidden = open;
    byId("reset-confirmation").hidden = !open;
    byId(open ? "reset-no" : "reset").focus();
  }
}
