// Brings the parts of the page together with the emulator's stream of events.

import { byId, make } from "./dom.js";
import { Feed } from "./feed.js";
import { Guide } from "./guide.js";
import { titleOf } from "./text.js";
import { ClockPanel, FaultPanel, ReplyPanel, ResetPanel, about } from "./tools.js";

const PATIENCE = 2000;

const clock = new ClockPanel();
const reply = new ReplyPanel();
const faults = new FaultPanel();
const guide = new Guide();
new ResetPanel();
const feed = new Feed({
  guide,
  now: () => clock.now(),
  receives: (gateway) => reply.receives(gateway),
  reply: (message) => {
    showTools(true);
    reply.answer(message);
  },
});
let epoch = null;
// One after the other: an event waits until what came before it is on the page.
let turn = Promise.resolve();

function listen() {
  const events = new EventSource("emulator/events");
  events.onmessage = ({ data }) => {
    turn = turn.then(() => take(JSON.parse(data)));
  };
  events.onopen = () => showLink("live", "Live");
  events.onerror = () => {
    showLink("lost", "Reconnecting…");
    // The browser itself comes back after a broken connection, but not after a refusal.
    if (events.readyState === EventSource.CLOSED) setTimeout(listen, PATIENCE);
  };
}

async function take(news) {
  if (news.epoch !== epoch) await startOver(news.epoch);
  if (news.clock) clock.update(news.clock);
  if (news.faults) faults.update(news.faults);
  feed.update(news);
}

async function startOver(newEpoch) {
  let facts = null;
  while (!facts) facts = await about().catch(() => pause(PATIENCE));
  epoch = newEpoch;
  reply.fill(facts);
  faults.fill(facts);
  guide.fill(facts);
  fillGatewayFilter(facts.gateways);
  feed.clear();
}

const pause = (time) => new Promise((resolve) => setTimeout(resolve, time));

function showLink(kind, text) {
  byId("link").dataset.link = kind;
  byId("link").textContent = text;
}

function fillGatewayFilter(gateways) {
  const choices = [["", "All"], ...gateways.map(({ name }) => [name, titleOf(name)])];
  const labels = choices.map(([value, label]) =>
    make(
      "label",
      { class: "choice", "data-gateway": value },
      make("input", { type: "radio", name: "gateway", value, checked: value === feed.gateway }),
      make("span", {}, label),
    ),
  );
  byId("gateway-filter").replaceChildren(byId("gateway-filter").firstElementChild, ...labels);
}

function showTools(open) {
  byId("tools").classList.toggle("open", open);
  byId("tools-button").setAttribute("aria-expanded", String(open));
}

byId("gateway-filter").addEventListener("change", ({ target }) => feed.filter({ gateway: target.value }));
byId("number-filter").addEventListener("input", ({ target }) => feed.filter({ number: target.value }));
byId("filters").addEventListener("submit", (event) => event.preventDefault());
byId("clear-filter").addEventListener("click", () => {
  byId("filters").reset();
  byId("gateway-filter").querySelector("input").checked = true;
  feed.filter({ gateway: "", number: "" });
  byId("number-filter").focus();
});
byId("tools-button").addEventListener("click", () => {
  const open = !byId("tools").classList.contains("open");
  showTools(open);
  if (open) byId("tools").focus();
});
listen();
