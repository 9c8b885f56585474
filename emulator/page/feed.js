// The messages: kept all that the emulator keeps, shown as many as one can read.

import { announce, button, byId, copy, copyIcon, make } from "./dom.js";
import { STATES, clockTime, count, day, fullTime, languageOf, numberCore, piecesOf, rial, titleOf } from "./text.js";

const STEP = 100;
const KINDS = { otp: "one-time password", voice: "voice call", membership: "membership" };

export class Feed {
  // `now` is the emulator's time; `receives` tells whether a gateway takes replies; `reply` answers a message.
  constructor({ now, receives, reply, guide }) {
    Object.assign(this, { now, receives, reply, guide });
    this.messages = [];
    this.dropped = 0;
    this.rows = new Map();
    this.limit = STEP;
    this.gateway = "";
    this.number = "";
    this.list = byId("feed");
    byId("more").addEventListener("click", () => this.showMore());
  }

  clear() {
    this.messages = [];
    this.dropped = 0;
    this.limit = STEP;
    this.forgetRows();
    this.draw();
  }

  update({ first = 0, messages = [], states = [], more = false, dropped = this.dropped }) {
    this.drop(dropped - this.dropped);
    const before = this.messages.length;
    messages.forEach((message, place) => this.put(first + place, message));
    for (const [place, state, status] of states) this.move(place, state, status);
    if (messages.length) this.draw();
    if (!more) this.tell(this.messages.slice(before));
  }

  // The emulator has dropped so many of the oldest. Their rows go when the next ones are drawn.
  drop(count) {
    this.messages.splice(0, count);
    this.dropped += count;
  }

  at(place) {
    return this.messages[place - this.dropped];
  }

  put(place, message) {
    if (this.at(place)) return this.move(place, message.state, message.status);
    this.messages[place - this.dropped] = { ...message, place, core: numberCore(message.recipient) };
  }

  move(place, state, status) {
    const message = this.at(place);
    Object.assign(message, { state, status });
    const row = this.rows.get(place);
    if (row) showState(row, message);
  }

  // Not what was there when the page was opened: only what comes while somebody looks.
  tell(added) {
    const fresh = added.filter((message) => this.matches(message));
    if (this.watching && fresh.length === 1) {
      announce(`New message to ${fresh[0].recipient} from ${titleOf(fresh[0].gateway)}`);
    } else if (this.watching && fresh.length) {
      announce(`${count(fresh.length, "new message")}`);
    }
    this.watching = true;
  }

  filter({ gateway = this.gateway, number = this.number }) {
    Object.assign(this, { gateway, number, limit: STEP });
    this.core = numberCore(number);
    this.forgetRows();
    this.draw();
  }

  get isFiltered() {
    return Boolean(this.gateway || this.number.trim());
  }

  matches(message) {
    if (this.gateway && message.gateway !== this.gateway) return false;
    if (!this.number.trim()) return true;
    // Letters alone have no digits to look for, and so match nothing.
    return this.core ? message.core.includes(this.core) : /[0-9+۰-۹٠-٩]/.test(this.number);
  }

  showMore() {
    const last = this.list.lastElementChild;
    this.limit += STEP;
    this.draw();
    last?.nextElementSibling?.focus();
  }

  forgetRows() {
    this.rows.clear();
    this.list.replaceChildren();
  }

  draw() {
    const shown = [];
    let matching = 0;
    for (let index = this.messages.length - 1; index >= 0; index--) {
      if (!this.matches(this.messages[index])) continue;
      matching += 1;
      if (shown.length < this.limit) shown.push(this.messages[index]);
    }
    this.drawRows(shown);
    this.drawFrame(shown.length, matching);
  }

  // Rows that stay are not moved, so that neither the focus nor a selection is lost.
  drawRows(shown) {
    const wanted = new Set(shown.map((message) => message.place));
    for (const [place, row] of this.rows) {
      if (wanted.has(place)) continue;
      row.remove();
      this.rows.delete(place);
    }
    let next = this.list.firstElementChild;
    for (const message of shown) {
      let row = this.rows.get(message.place);
      if (row) {
        next = row.nextElementSibling;
        continue;
      }
      row = this.row(message);
      this.rows.set(message.place, row);
      this.list.insertBefore(row, next);
    }
  }

  drawFrame(shown, matching) {
    const total = this.messages.length;
    byId("no-match").hidden = !(total && !matching);
    byId("more").hidden = shown >= matching;
    byId("filters").hidden = !total;
    byId("count").hidden = !matching;
    const what = this.isFiltered ? `${count(matching, "message")} of ${total}` : count(total, "message");
    const older = this.dropped ? `, ${this.dropped} older dropped` : "";
    byId("count").textContent = shown < matching ? `${what}, the newest ${shown} shown${older}` : `${what}${older}`;
    this.guide.show(total === 0);
  }

  row(message) {
    const row = make("li", { class: "message", tabindex: "-1", "data-gateway": message.gateway });
    row.append(this.head(message), this.text(message), this.foot(message));
    showState(row, message);
    return row;
  }

  head(message) {
    const moment = new Date(message.created_at);
    const today = day(moment) === day(this.now());
    return make(
      "div",
      { class: "head" },
      make("span", { class: "gateway" }, titleOf(message.gateway)),
      make("bdi", { class: "recipient" }, message.recipient),
      make("span", { class: "line" }, "from ", message.line ? make("bdi", {}, message.line) : "the vendor's line"),
      make(
        "time",
        { datetime: message.created_at, title: fullTime(moment) },
        today ? clockTime(moment) : fullTime(moment),
      ),
    );
  }

  text(message) {
    const paragraph = make("p", { class: "text", dir: "auto", lang: languageOf(message.text) });
    for (const [piece, code] of piecesOf(message.text)) {
      if (code === null) paragraph.append(piece);
      else paragraph.append(codeButton(piece, code));
    }
    return paragraph;
  }

  foot(message) {
    const facts = [
      KINDS[message.kind] ?? (message.kind === "sms" ? null : message.kind),
      count(message.parts, "part"),
      rial(message.price),
      message.template && `template ${message.template}`,
      message.check_id && `${message.gateway === "opgateway" ? "bulk" : "check id"} ${message.check_id}`,
      message.send_at && `for ${fullTime(new Date(message.send_at))}`,
    ].filter(Boolean);
    const list = make("ul", { class: "facts" }, ...facts.map((fact) => make("li", {}, make("bdi", {}, fact))));
    list.append(make("li", { class: "status" }));
    const track = make("span", { class: "track", "aria-hidden": "true" }, make("i"), make("i"), make("i"));
    const delivery = make("span", { class: "delivery" }, track, make("span", { class: "badge" }));
    const foot = make("div", { class: "foot" }, delivery, list);
    if (this.receives(message.gateway)) {
      const label = `Reply from ${message.recipient}`;
      foot.append(button("Reply", () => this.reply(message), { class: "quiet", "aria-label": label }));
    }
    return foot;
  }
}

function codeButton(piece, code) {
  const label = `Copy the code ${code}`;
  const element = make("button", { type: "button", class: "code", title: label, "aria-label": label }, piece);
  element.append(copyIcon());
  element.addEventListener("click", () => copy(code, element));
  return element;
}

function showState(row, { state, status }) {
  row.dataset.state = state;
  row.querySelector(".badge").textContent = STATES[state] ?? state;
  row.querySelector(".status").replaceChildren("status ", make("bdi", {}, String(status)));
}
