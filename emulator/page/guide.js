// How the first message is sent: shown while there is none, and on demand.

import { button, byId, copy, make } from "./dom.js";
import { languageOf, titleOf } from "./text.js";

export class Guide {
  constructor() {
    this.empty = true;
    this.wanted = false;
    this.section = byId("guide");
    this.toggle = byId("guide-button");
    this.toggle.addEventListener("click", () => {
      this.wanted = !this.wanted;
      this.draw();
      if (this.wanted) this.section.scrollIntoView({ block: "nearest" });
    });
  }

  show(empty) {
    this.empty = empty;
    this.draw();
  }

  draw() {
    const shown = this.empty || this.wanted;
    this.section.hidden = !shown;
    this.toggle.hidden = this.empty;
    this.toggle.setAttribute("aria-expanded", String(shown));
  }

  // The emulator does not know under which name or through which port it is reached; the browser does.
  fill({ url, gateways }) {
    const here = (text) => text.replaceAll(url, location.origin);
    const parts = gateways.map((gateway, place) =>
      make(
        "details",
        { name: "guide", open: place === 0, "data-gateway": gateway.name },
        make("summary", {}, make("span", { class: "gateway" }, titleOf(gateway.name))),
        ...gateway.examples.map(({ title, code }) => example(title, here(code), gateway.name)),
        make("details", { class: "about" }, make("summary", {}, "Credentials and special numbers"),
          make("pre", { tabindex: "0" }, here(gateway.about))),
      ),
    );
    byId("guide-gateways").replaceChildren(...parts);
  }
}

function example(title, code, gateway) {
  const text = code.trimEnd();
  const copier = button("Copy", () => copy(`${text}\n`, copier), {
    class: "quiet",
    "aria-label": `Copy the ${title} example for ${titleOf(gateway)}`,
  });
  return make(
    "figure",
    { class: "example" },
    make("figcaption", {}, title, copier),
    make("pre", { tabindex: "0", dir: "ltr", lang: languageOf(text) && "en" }, make("code", {}, text)),
  );
}
