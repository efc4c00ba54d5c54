// The wall and the matrix. Only what is in the window is in the document, however many pictures there are.

const STATES = { stored: "stored", running: "running", queued: "queued", failed: "failed", in_doubt: "in doubt", dropped: "dropped" };
const MARKS = { accept: "✓", reject: "✕" };

const tile = (job, open) => {
  const [file] = job.files;
  const source = file ? file.thumb || file.href : "";
  const shown = source
    ? make("img", { src: source, alt: "", loading: "lazy", decoding: "async", draggable: false })
    : make("span", { className: "blank" }, file ? "not in the folder" : legible(job.failure ? job.reason ?? job.failure : STATES[job.state]).slice(0, 120));
  const told = seconds(job);
  const button = make("button", { type: "button", className: "tile", tabIndex: -1 },
    make("span", { className: "picture" }, shown),
    make("span", { className: "caption" },
      make("span", { className: "name", dir: "auto", title: legible(job.id) }, legible(job.id)),
      make("span", { className: "under" }, [legible(job.model), told === null ? "" : took(told)].filter(Boolean).join(" · "))),
    make("span", { className: "mark", ariaHidden: "true" }),
    job.files.length > 1 ? make("span", { className: "tag several" }, `${job.files.length}`) : null);
  button.dataset.state = job.state;
  button.dataset.number = job.number;
  judged(button, job);
  button.addEventListener("click", () => open(job));
  return button;
};

const judged = (button, job) => {
  const verdict = verdicts.of(job);
  button.dataset.verdict = verdict;
  button.querySelector(".mark").textContent = MARKS[verdict] ?? "";
  button.ariaLabel = [legible(job.id), STATES[job.state], { accept: "accepted", reject: "rejected" }[verdict]].filter(Boolean).join(", ");
};

class Wall {
  constructor(outer, open) {
    this.outer = outer;
    this.open = open;
    this.list = [];
    this.current = 0;
    this.items = new Map();
    this.inner = make("div", { className: "wall", role: "list", ariaLabel: "Pictures" });
    outer.append(this.inner);
    addEventListener("scroll", () => this.soon(), { passive: true });
    new ResizeObserver(() => { this.measured = null; this.soon(); }).observe(outer);
  }

  show(list) {
    this.list = list;
    this.current = 0;
    this.measured = null;
    this.items.clear();
    this.inner.replaceChildren();
    this.draw();
  }

  soon() {
    this.waiting ??= requestAnimationFrame(() => { this.waiting = null; this.draw(); });
  }

  measure() {
    if (!this.items.size) this.put(0, 0);
    const gap = parseFloat(getComputedStyle(this.inner).rowGap);
    const columns = getComputedStyle(this.inner).gridTemplateColumns.split(" ").length;
    const height = this.inner.firstElementChild.getBoundingClientRect().height + gap;
    this.measured = { columns, height };
    this.outer.style.height = `${Math.ceil(this.list.length / columns) * height}px`;
  }

  draw() {
    if (this.outer.hidden) return;
    if (!this.list.length) { this.outer.style.height = "0"; return; }
    if (!this.measured) this.measure();
    const { columns, height } = this.measured;
    const above = Math.max(0, -this.outer.getBoundingClientRect().top);
    const first = Math.max(0, Math.floor(above / height) - 2);
    const last = Math.ceil((above + innerHeight) / height) + 2;
    this.put(Math.min(first * columns, Math.max(0, this.list.length - 1)), Math.min(this.list.length, last * columns) - 1);
    this.inner.style.top = `${first * height}px`;
  }

  put(first, last) {
    for (const [at, item] of this.items) if (at < first || at > last) { item.remove(); this.items.delete(at); }
    let before = null;
    for (let at = last; at >= first; at -= 1) {
      if (!this.items.has(at)) {
        const item = make("div", { role: "listitem" }, tile(this.list[at], (job) => this.open(job, this.list)));
        item.ariaSetSize = String(this.list.length);
        item.ariaPosInSet = String(at + 1);
        item.firstElementChild.addEventListener("focus", () => { this.current = at; this.rove(); });
        this.items.set(at, item);
        this.inner.insertBefore(item, before);
      }
      before = this.items.get(at);
    }
    this.rove();
  }

  rove() {
    const stop = this.items.has(this.current) ? this.current : Math.min(...this.items.keys());
    for (const [at, item] of this.items) item.firstElementChild.tabIndex = at === stop ? 0 : -1;
  }

  focus(at) {
    if (!this.list.length || this.outer.hidden) return;
    this.current = Math.max(0, Math.min(at, this.list.length - 1));
    const { columns, height } = this.measured;
    const top = this.outer.getBoundingClientRect().top + Math.floor(this.current / columns) * height;
    const room = byId("tools").getBoundingClientRect().height + 8;
    if (top < room) scrollBy(0, top - room);
    else if (top + height > innerHeight) scrollBy(0, top + height - innerHeight);
    this.draw();
    this.items.get(this.current)?.firstElementChild.focus({ preventScroll: true });
  }

  move(key) {
    const columns = this.measured?.columns ?? 1;
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns, Home: -this.current, End: this.list.length };
    this.focus(this.current + steps[key]);
  }

  refresh(job) {
    for (const [at, item] of this.items) if (this.list[at] === job) judged(item.firstElementChild, job);
  }
}

class Matrix {
  constructor(outer, open) {
    this.outer = outer;
    this.open = open;
    outer.addEventListener("scroll", () => this.soon(), { passive: true });
    addEventListener("resize", () => this.soon());
  }

  // One line per input row (of jobs without a row, per id), one column per value of an axis or of all.
  show(list, across) {
    this.list = list;
    const view = (job) => (across ? [job.axes.get(across) ?? ""] : [...job.axes.values()]).map(legible).join(" · ");
    const lines = new Map();
    const views = new Set();
    for (const job of list) {
      const key = job.row ? `${job.row[0]} ${job.row[1]}` : `id ${job.id}`;
      if (!lines.has(key)) lines.set(key, { name: job.row ? job.row[1] : job.id, number: job.row?.[0], cells: new Map() });
      const cells = lines.get(key).cells;
      views.add(view(job));
      cells.set(view(job), [...(cells.get(view(job)) ?? []), job]);
    }
    this.lines = [...lines.values()];
    this.views = [...views];
    this.body = make("tbody");
    this.outer.replaceChildren(make("table", {},
      make("colgroup", {}, make("col", { className: "line-name" }), ...this.views.map(() => make("col", { className: "view" }))),
      make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "row"), ...this.views.map((each) => make("th", { scope: "col", dir: "auto" }, each || "picture")))),
      this.body));
    this.outer.scrollTop = 0;
    this.first = this.last = -1;
    this.draw();
  }

  soon() {
    this.waiting ??= requestAnimationFrame(() => { this.waiting = null; this.draw(); });
  }

  draw() {
    if (this.outer.hidden || !this.lines?.length) return;
    this.height ??= this.measured();
    const first = Math.max(0, Math.floor(this.outer.scrollTop / this.height) - 2);
    const last = Math.min(this.lines.length, Math.ceil((this.outer.scrollTop + innerHeight) / this.height) + 2);
    if (first === this.first && last === this.last) return;
    this.first = first;
    this.last = last;
    this.body.replaceChildren(this.space(first), ...this.lines.slice(first, last).map((line) => this.line(line)), this.space(this.lines.length - last));
  }

  measured() {
    this.body.replaceChildren(this.line(this.lines[0]));
    return this.body.firstElementChild.getBoundingClientRect().height || 137;
  }

  space(count) {
    const cell = make("td", { colSpan: this.views.length + 1 });
    cell.style.height = `${count * this.height}px`;
    return make("tr", { className: "space", ariaHidden: "true", hidden: !count }, cell);
  }

  line(line) {
    const under = line.number === undefined ? null : make("small", { className: "soft" }, `row ${line.number}`);
    return make("tr", {},
      make("th", { scope: "row" }, make("div", {}, make("span", { className: "name", dir: "auto" }, legible(line.name)), make("br"), under)),
      ...this.views.map((view) => this.cell(line.cells.get(view) ?? [])));
  }

  cell(found) {
    const tiles = found.slice(0, 3).map((job) => tile(job, (each) => this.open(each, this.list)));
    for (const each of tiles) each.tabIndex = 0;
    const more = found.length > 3 ? make("small", { className: "soft" }, `+${found.length - 3}`) : null;
    return make("td", {}, make("div", {}, ...tiles, more));
  }

  refresh(job) {
    for (const each of this.outer.querySelectorAll(`.tile[data-number="${job.number}"]`)) judged(each, job);
  }
}
