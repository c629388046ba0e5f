"use strict";
// Shows what belongs together: lines, instructions, boxes, stages, bytes. Nothing else here.
(() => {
  const index = { k: new Map(), s: new Map(), b: new Map(), g: new Map(), y: new Map(), e: new Map() };
  for (const [name, map] of Object.entries(index)) {
    for (const el of document.querySelectorAll(`[data-${name}]`)) {
      for (const word of el.dataset[name].split(" ")) {
        if (!map.has(word)) map.set(word, []);
        map.get(word).push(el);
      }
    }
  }
  const svg = document.querySelector("svg");
  const inspect = document.getElementById("inspect");
  const words = (el, name) => (el.dataset[name] ? el.dataset[name].split(" ") : []);
  const is = (...types) => (el) => types.includes(el.dataset.t) || (!el.dataset.t && types.includes("row"));
  let shown = null, pinned = null, lit = [];

  function light(list, keep = () => true) {
    for (const el of list || []) {
      if (keep(el) && !el.classList.contains("on")) {
        el.classList.add("on");
        lit.push(el);
      }
    }
  }

  function boxesOf(el) {
    switch (el.dataset.t) {
      case "box": return [el];
      case "stage": return (index.g.get(el.dataset.g) || []).filter(is("box"));
      case "byte": return (index.y.get(el.dataset.y) || []).filter(is("box"));
      case "line": return (index.k.get(el.dataset.k) || []).filter(is("box"));
    }
    return words(el, "s").flatMap((s) => index.s.get(s) || []).filter(is("box"));
  }

  function show(el) {
    if (el === shown) return;
    for (const old of lit) old.classList.remove("on");
    lit = [];
    shown = el;
    svg?.classList.toggle("focus", !!el && boxesOf(el).length > 0);
    if (!el) {
      inspect.textContent = "";
      return;
    }
    light([el]);
    const boxes = boxesOf(el);
    light(boxes);
    const chosen = new Set(boxes.map((b) => b.dataset.b));
    for (const b of chosen) {
      for (const edge of index.e.get(b) || []) {
        const ends = words(edge, "e");
        if (el.dataset.t === "box" || ends.every((end) => chosen.has(end))) {
          light([edge]);
          if (el.dataset.t === "box") for (const end of ends) light(index.b.get(end));
        }
      }
    }
    if (el.dataset.t !== "line") for (const s of words(el, "s")) light(index.s.get(s), is("insn", "row"));
    for (const k of words(el, "k")) {
      light(index.k.get(k), is("line"));
      if (el.dataset.t === "line") light(index.k.get(k), is("insn", "row", "byte"));
    }
    if (el.dataset.t === "insn") for (const s of words(el, "s")) light(index.s.get(s), is("byte"));
    if (el.dataset.t === "stage") light(index.g.get(el.dataset.g), is("stage"));
    for (const y of words(el, "y")) light(index.y.get(y), is("byte"));
    inspect.textContent = el.querySelector("title")?.textContent || el.title || "";
    if (!inspect.textContent) {
      const counts = [...el.querySelectorAll("td.n")].map((cell) => cell.textContent || "0");
      const text = el.querySelector("td.text");
      if (text && counts.length === 3) {
        inspect.textContent = `${text.textContent.trim()}\noperations: ${counts[0]}, LUT6: ≈ ${counts[1]}, register bits: ${counts[2]}`;
      }
    }
  }

  function reveal(el) {
    // Only within the listing; the page itself stays where it is.
    for (const panel of document.querySelectorAll(".scroll")) {
      const row = panel.querySelector("tr.on");
      if (!row || panel.contains(el) || panel.scrollHeight <= panel.clientHeight) continue;
      const top = row.offsetTop, room = panel.clientHeight;
      if (top < panel.scrollTop + 30 || top > panel.scrollTop + room - 40) {
        panel.scrollTop = Math.max(0, top - room / 3);
      }
    }
  }

  const part = (event) => event.target.closest?.("[data-t]");
  document.addEventListener("pointerover", (event) => {
    if (pinned || event.pointerType === "touch") return;
    const el = part(event);
    show(el);
    if (el) reveal(el);
  });
  document.addEventListener("click", (event) => {
    const el = part(event);
    if (event.target.closest("summary, label, input, a")) return;
    pinned = el && el !== pinned ? el : null;
    show(pinned);
    if (pinned) reveal(pinned);
  });
  document.addEventListener("focusin", (event) => {
    const el = part(event);
    if (!el || !el.matches(":focus-visible")) return;
    pinned = null;
    show(el);
    reveal(el);
  });

  // One stop of the Tab key per group; arrows move inside it.
  for (const group of document.querySelectorAll("[data-roving]")) {
    const items = [...group.querySelectorAll("[data-t]")];
    if (items.length) items[0].tabIndex = 0;
    group.addEventListener("keydown", (event) => {
      const at = items.indexOf(event.target.closest("[data-t]"));
      const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
      const to = event.key === "Home" ? 0 : event.key === "End" ? items.length - 1 : at + step;
      if (at < 0 || !(to >= 0 && to < items.length)) return;
      event.preventDefault();
      items[at].tabIndex = -1;
      items[to].tabIndex = 0;
      items[to].focus();
    });
  }
  document.addEventListener("keydown", (event) => {
    const el = part(event);
    if (event.key === "Escape") {
      pinned = null;
      show(null);
    } else if (event.key === "Enter" && el) {
      pinned = el === pinned ? null : el;
      show(el);
    }
  });
  addEventListener("beforeprint", () => show(null));
})();
