// Short cuts for those who type. None is needed, and they can be switched off on the page that lists them.
// g then a letter opens a room, / begins a request, ? lists the keys, j and k walk through rows, Enter opens one,
// t goes from a drawing to its table, Esc closes.

const off = "ombud keys off";
const rows = () => [...document.querySelectorAll("main tbody tr:not(.grp)")].filter((r) => r.querySelector("a, button"));
let room = false;

const follow = (key) => {
  const link = document.querySelector(`.rail [data-key="${CSS.escape(key)}"]`);
  if (link) link.click();
  return Boolean(link);
};

const walk = (by) => {
  const all = rows();
  if (all.length === 0) return;
  const at = all.findIndex((r) => r.classList.contains("sel"));
  const next = all[Math.min(Math.max(at + by, 0), all.length - 1)];
  all.forEach((r) => r.classList.toggle("sel", r === next));
  next.querySelector("a, button").focus();
};

const act = (key) => {
  switch (key) {
    case "j": return walk(1);
    case "k": return walk(-1);
    case "t": return document.querySelector("#table, main details summary")?.scrollIntoView();
    case "Escape": return document.querySelectorAll("main tr.sel").forEach((r) => r.classList.remove("sel"));
  }
  follow(key);
};

const isTyping = (e) => e.target instanceof Element && e.target.closest("input, textarea, select, [contenteditable]");

document.addEventListener("keydown", (e) => {
  if (e.ctrlKey || e.altKey || e.metaKey || e.defaultPrevented || isTyping(e) || localStorage.getItem(off)) return;
  if (room) {
    room = false;
    if ("hprdclau".includes(e.key) && follow(e.key)) e.preventDefault();
    return;
  }
  if (e.key === "g") {
    room = true;
    setTimeout(() => { room = false; }, 1500);
    return;
  }
  if (["j", "k", "t", "/", "?", "Escape"].includes(e.key)) {
    e.preventDefault();
    act(e.key);
  }
});

const box = document.getElementById("keys-off");
if (box) {
  box.checked = Boolean(localStorage.getItem(off));
  box.addEventListener("change", () => (box.checked ? localStorage.setItem(off, "1") : localStorage.removeItem(off)));
}
