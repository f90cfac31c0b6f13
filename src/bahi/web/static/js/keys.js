// The keyboard, and the dialogs that it opens. A key alone never sends an order.

const byId = (id) => document.getElementById(id);
const GOES = { d: "/", o: "/orders", p: "/positions", h: "/holdings", f: "/funds", c: "/chart", r: "/risk", a: "/accounts", t: "/tokens" };
let goes = false;

function typing(target) { // a field of a dialog that was just closed holds the focus until the next frame
  return target.closest("input, textarea, select, [contenteditable]") && target.type !== "checkbox" && target.checkVisibility();
}

function open(name) {
  const dialog = byId(name);
  if (!dialog || dialog.open) return;
  dialog.showModal();
  dialog.querySelector("input:not([type=hidden])")?.select();
}

function ticket(side) {
  const marked = current()?.dataset;
  const query = new URLSearchParams({ side, account: document.body.dataset.account });
  if (marked?.symbol) {
    query.set("symbol", marked.symbol);
    query.set("segment", marked.segment);
    if (marked.product) query.set("product", marked.product);
  }
  byId("ticket").showModal();
  htmx.ajax("GET", `/ticket?${query}`, { target: "#ticket-body", swap: "innerHTML" });
}

// Lists: rows that can be walked carry data-row; what a search offers is walked the same way.

const rows = () => [...document.querySelectorAll("[data-row]")].filter((row) => row.offsetParent);
const current = () => document.activeElement?.closest?.("[data-row]");

function step(all, from, by) {
  const at = from ? Math.min(Math.max(all.indexOf(from) + by, 0), all.length - 1) : by > 0 ? 0 : all.length - 1;
  all[at]?.focus();
  all[at]?.scrollIntoView({ block: "nearest" });
}

function go(key) {
  goes = false;
  const account = new URLSearchParams(location.search).get("account");
  if (GOES[key]) location.assign(account ? `${GOES[key]}?account=${account}` : GOES[key]);
}

const KEYS = {
  "/": () => open("find"),
  "?": () => open("help"),
  b: () => ticket("BUY"),
  s: () => ticket("SELL"),
  K: () => open("kill"),
  k: () => (current() ? step(rows(), current(), -1) : open("kill")),
  j: () => step(rows(), current(), 1),
  g: () => { goes = true; setTimeout(() => { goes = false; }, 1500); },
  x: () => current()?.querySelector("input[type=checkbox]")?.click(),
};

document.addEventListener("keydown", (event) => {
  const { key, target } = event;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.repeat && key === "Enter") return event.preventDefault(); // held down, it is pressed once
  const by = { ArrowDown: 1, ArrowUp: -1 }[key];
  const offers = target.dataset?.walks ?? (target.closest?.("#found, .offers") && "#found a, .offers a, .offers button");
  if (offers && by) {
    event.preventDefault();
    return step([...document.querySelectorAll(offers)], target.dataset?.walks ? null : target, by);
  }
  if (key === "Escape" && target.type === "search") return target.closest("dialog")?.close();
  if (typing(target) || document.querySelector("dialog[open]")) return;
  if (goes) return go(key);
  if (key === "Enter" && target === current()) return target.querySelector("a")?.click();
  const needsAccount = "bskK".includes(key) && !document.body.dataset.account;
  const does = by && current() ? () => step(rows(), current(), by) : KEYS[key];
  if (!does || needsAccount) return;
  event.preventDefault();
  does();
});

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens], [data-ticket], [data-closes]");
  if (opener?.dataset.opens) open(opener.dataset.opens);
  else if (opener?.dataset.ticket) { opener.closest("[data-row]")?.focus(); ticket(opener.dataset.ticket); }
  else if (opener) opener.closest("dialog").close();
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  if (event.target.matches("dialog")) event.target.close(); // beside it
});
document.addEventListener("close", ({ target }) => { if (target.id === "ticket") byId("ticket-body").replaceChildren(); }, true);
