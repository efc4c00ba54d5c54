// Puts the page together: what is chosen is shown, what is judged is kept, and every key does what the help says.

verdicts.load();
wanted.read();

const judge = (job, verdict) => {
  if (!judgeable(job)) return;
  verdicts.set(job, verdict);
  for (const each of [wall, matrix]) each.refresh(job);
  if (byId("box").open) box.judged();
  tellVerdicts();
};

const box = new Box(judge, (list, at) => {
  if (wanted.as === "wall" && list === wall.list) wall.focus(at);
});
const open = (job, list) => box.open(job, list);
const wall = new Wall(byId("wall"), open);
const matrix = new Matrix(byId("matrix"), open);

const show = () => {
  wanted.write();
  const list = wanted.chosen();
  const asMatrix = wanted.as === "matrix";
  byId("wall").hidden = asMatrix;
  byId("matrix").hidden = !asMatrix || !list.length;
  byId("nothing").hidden = list.length > 0;
  byId("as-wall").ariaPressed = String(!asMatrix);
  byId("as-matrix").ariaPressed = String(asMatrix);
  byId("across-choice").hidden = !asMatrix || axes.size < 2;
  byId("clear").hidden = !wanted.narrowed;
  const of = jobs.length.toLocaleString("en");
  byId("count").textContent = wanted.narrowed ? `${list.length.toLocaleString("en")} of ${of} shown` : `${of} in all`;
  if (asMatrix) matrix.show(list, wanted.across);
  else wall.show(list);
};

const tellVerdicts = () => {
  const { picks, accepted } = verdicts.picks();
  const count = (list, word) => (list.length ? `${list.length.toLocaleString("en")} ${word}` : "");
  byId("verdicts").hidden = !picks.length && !accepted.length;
  byId("verdict-count").textContent = [count(accepted, "accepted"), count(picks, "rejected")].filter(Boolean).join(", ");
  byId("verdict-command").parentElement.hidden = !picks.length;
  byId("verdict-command").textContent = legible(`${shared.redo} ${picksName()}`);
};

const picksName = () => `${shared.name.replace(/[^\p{L}\p{N}._-]+/gu, "-").replace(/^[-.]+/, "") || "batch"}-picks.json`;

const save = () => {
  const text = `${JSON.stringify(verdicts.picks(), null, 1)}\n`;
  const address = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  make("a", { href: address, download: picksName() }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60000);
};

const choice = (name, label, options, value, chosen) => {
  const select = make("select", { ariaLabel: label }, make("option", { value: "" }, `any ${label}`),
    ...options.map(([each, text]) => make("option", { value: each, selected: each === value }, legible(text))));
  select.dataset.filter = name;
  select.addEventListener("change", () => { chosen(select.value); show(); });
  return select;
};

const drawFilters = () => {
  const found = new Set(jobs.map((job) => job.state));
  const states = Object.entries(STATES).filter(([state]) => found.has(state) && found.size > 1).map(([state, word]) => {
    const chip = make("button", { type: "button", className: "chip", ariaPressed: String(wanted.states.has(state)) }, make("span", { className: "dot" }), word);
    chip.dataset.state = state;
    chip.addEventListener("click", () => {
      if (!wanted.states.delete(state)) wanted.states.add(state);
      chip.ariaPressed = String(wanted.states.has(state));
      show();
    });
    return chip;
  });
  const pairs = (values) => [...values].map((each) => [each, each]);
  const models = shared.models.length > 1 && !axes.has("model") ? [choice("model", "model", pairs(shared.models), wanted.model, (value) => { wanted.model = value; })] : [];
  const byAxis = [...axes].filter(([, values]) => values.size > 1).map(([axis, values]) =>
    choice(`axis.${axis}`, legible(axis), pairs(values), wanted.axes.get(axis), (value) => wanted.axes.set(axis, value)));
  const verdict = choice("verdict", "verdict", [["accept", "accepted"], ["reject", "rejected"], ["none", "undecided"]], wanted.verdict, (value) => { wanted.verdict = value; });
  byId("filters").replaceChildren(...states, ...models, ...byAxis, verdict);
  byId("text").value = wanted.text;
  byId("order").value = wanted.order;
  byId("across").replaceChildren(make("option", { value: "" }, "all axes"), ...[...axes.keys()].map((axis) => make("option", { value: axis, selected: axis === wanted.across }, legible(axis))));
};

const focused = () => {
  const number = Number(document.activeElement?.dataset?.number);
  return number ? jobs.find((job) => job.number === number) : undefined;
};

const KEYS = { a: "accept", r: "reject", u: "", A: "accept", R: "reject" };
const goesOn = (event) => event.key === "A" || event.key === "R"; // by Shift or Caps Lock

const inBox = (event) => {
  const steps = { ArrowLeft: -1, k: -1, ArrowRight: 1, j: 1 };
  if (event.key in steps) box.go(steps[event.key]);
  else if (event.key in KEYS) { judge(box.job, KEYS[event.key]); if (goesOn(event)) box.go(1); }
  else if (event.key === "z") box.zoom();
  else if (event.key === "+" || event.key === "=") box.zoom(1.25);
  else if (event.key === "-") box.zoom(0.8);
  else if (event.key === "?") byId("help").showModal();
  else return;
  event.preventDefault();
};

const inPage = (event) => {
  const job = focused();
  if (job && wanted.as === "wall" && (event.key.startsWith("Arrow") || event.key === "Home" || event.key === "End")) wall.move(event.key);
  else if (job && event.key in KEYS) { judge(job, KEYS[event.key]); if (goesOn(event) && wanted.as === "wall") wall.move("ArrowRight"); }
  else if (event.key === "/") byId("text").focus();
  else if (event.key === "?") byId("help").showModal();
  else return;
  event.preventDefault();
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || byId("help").open) return;
  if (event.target.closest("input, select")) {
    if (event.key === "Escape") event.target.blur();
  } else if (byId("box").open) inBox(event);
  else inPage(event);
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const code = button.parentElement.querySelector("code");
  try {
    await navigator.clipboard.writeText(code.textContent);
  } catch {
    getSelection().selectAllChildren(code);
    document.execCommand("copy");
  }
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = "Copy"; }, 1500);
});

let typing;
byId("text").addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => { wanted.text = byId("text").value; show(); }, 80);
});
byId("order").addEventListener("change", () => { wanted.order = byId("order").value; show(); });
byId("across").addEventListener("change", () => { wanted.across = byId("across").value; show(); });
byId("as-wall").addEventListener("click", () => { wanted.as = "wall"; show(); });
byId("as-matrix").addEventListener("click", () => { wanted.as = "matrix"; show(); });
byId("clear").addEventListener("click", () => { wanted.clear(); drawFilters(); show(); });
byId("ask-help").addEventListener("click", () => byId("help").showModal());
byId("close-help").addEventListener("click", () => byId("help").close());
byId("save").addEventListener("click", save);
byId("forget").addEventListener("click", () => {
  verdicts.forget();
  for (const job of jobs) for (const each of [wall, matrix]) each.refresh(job);
  tellVerdicts();
});
addEventListener("hashchange", () => { if (!location.hash || location.hash.includes("=")) { wanted.read(); drawFilters(); show(); } });

byId("tools").hidden = false;
document.querySelector(".modes").hidden = !axes.size && !jobs.some((job) => job.row);
drawFilters();
show();
tellVerdicts();
