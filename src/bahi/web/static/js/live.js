// What moves by itself: figures, rows that something happened to, and a line that says so while the
// service is away. A page that nobody looks at asks for nothing.

const EVERY_MS = 1000, PATIENCE_MS = 4000, TOGETHER_MS = 300, SILENT_AFTER = 3;
const { body } = document, byId = (id) => document.getElementById(id);

// Figures

let failures = 0, heard = null;

async function beat() {
  if (!document.hidden) {
    try {
      const answer = await fetch(body.dataset.figures, { headers: { "HX-Request": "true" }, signal: AbortSignal.timeout(PATIENCE_MS) });
      if (answer.status === 401) return away("You are signed out.", "/sign-in", "Sign in");
      if (!answer.ok) throw new Error(String(answer.status));
      const said = await answer.json();
      put(said.cells);
      here(said.at);
    } catch {
      failures += 1;
      if (failures >= SILENT_AFTER) {
        const since = heard ? `last heard ${heard} IST` : "never heard on this page";
        away(`The service does not answer (${since}). Figures below are old. Trying again.`);
      }
    }
  }
  setTimeout(beat, EVERY_MS);
}

function put(cells) {
  for (const place of document.querySelectorAll("[data-f]")) {
    const cell = cells[place.dataset.f];
    if (cell?.[2]) place.title = cell[2];
    if (!cell || (place.textContent === cell[0] && (place.dataset.mood ?? "") === cell[1])) continue;
    const moved = place.dataset.seen && place.textContent !== cell[0];
    place.textContent = cell[0];
    if (place.dataset.mood) place.classList.remove(place.dataset.mood);
    if (cell[1]) place.classList.add(cell[1]);
    place.dataset.mood = cell[1];
    if (moved && place.matches("td, td *")) flash(place.closest("td"));
  }
  for (const place of document.querySelectorAll("[data-f]")) place.dataset.seen = "1";
}

function flash(cell) {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  cell.classList.remove("moved");
  void cell.offsetWidth; // so that the same cell may flash again
  cell.classList.add("moved");
}

function away(sentence, address, word) {
  const way = Object.assign(document.createElement("a"), { href: address, textContent: word });
  byId("away").replaceChildren(`${sentence} `, ...(address ? [way] : []));
  byId("away").hidden = false;
  body.classList.add("old");
}

function here(at) {
  if (failures >= SILENT_AFTER) htmx.trigger(body, "back");
  if (stream?.readyState === EventSource.CLOSED) listen(); // what ends otherwise begins again by itself
  [failures, heard] = [0, at];
  byId("away").hidden = true;
  body.classList.remove("old");
}

// Events: each carries an id; whoever shows that thing asks for its own HTML.

const TOPICS = ["orders", "positions", "tokens", "jobs", "alerts"];
let stream = null;

function listen(behind = "") {
  stream = new EventSource(`/v1/events?topics=${TOPICS.join(",")}${behind}`);
  for (const topic of TOPICS) stream.addEventListener(topic, (event) => tell(topic, JSON.parse(event.data)));
}

const coming = new Set(); // of many at once the page hears once, and of the last for certain
function soon(name) {
  if (!coming.has(name)) setTimeout(() => { coming.delete(name); htmx.trigger(body, name); }, TOGETHER_MS);
  coming.add(name);
}

function tell(topic, event) {
  const row = topic === "orders" && byId(`order-${event.about.order_id}`);
  soon(topic);
  if (row) htmx.trigger(row, "changed");
  else if (topic === "orders") soon("order-new");
  if (topic === "positions") {
    const { side, quantity, symbol, price } = event.about;
    byId("news").textContent = `Filled: ${side} ${quantity} ${symbol} at ${price}`;
  }
}

document.addEventListener("visibilitychange", () => {
  stream?.close();
  if (!document.hidden) {
    listen(); // what happens while the page looks again is told already
    for (const it of ["open", "error"]) stream.addEventListener(it, () => htmx.trigger(body, "back"), { once: true });
  }
});

// Forms: sent by script, so that one that is refused stays as it was typed, with the reason in it.
// One that is under way says so.

function boost(root) {
  for (const form of (root.parentElement ?? root).querySelectorAll?.("form[method=post]:not([hx-post], [hx-boost])") ?? []) {
    form.setAttribute("hx-boost", "true");
    form.setAttribute("hx-push-url", "false");
  }
}

function reasonIn(form) {
  const made = Object.assign(document.createElement("div"), { className: "here", ariaLive: "assertive" });
  return form.querySelector(":scope > .here") ?? form.appendChild(made);
}

body.addEventListener("htmx:beforeProcessNode", (event) => boost(event.target));
body.addEventListener("htmx:beforeRequest", (event) => {
  event.detail.elt.closest("form")?.querySelector(":scope > .here")?.replaceChildren();
  event.detail.requestConfig.triggeringEvent?.submitter?.setAttribute("aria-busy", "true");
});
body.addEventListener("htmx:afterRequest", (event) => {
  event.detail.requestConfig?.triggeringEvent?.submitter?.removeAttribute("aria-busy");
});
body.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, requestConfig } = event.detail;
  const form = xhr.status >= 400 && requestConfig.elt.closest("form");
  if (form) event.detail.target = reasonIn(form);
  if (requestConfig.elt.matches("#preview:active")) event.detail.shouldSwap = false; // else what is being pressed would go from under the press
});
boost(body);

listen(`&since=${body.dataset.since}`);
beat();
