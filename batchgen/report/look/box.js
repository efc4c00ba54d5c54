// One picture, all that is known of it, and the way to the next.

const size = (bytes) => (bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`);
const dollars = (micro) => `$${(micro / 1e6).toFixed(6).replace(/(\.\d\d\d*?)0+$/, "$1")}`;
const moment = (at) => new Date(at * 1000).toISOString().replace("T", " ").replace(/\.\d+Z$/, " UTC");

class Box {
  constructor(judge, closed) {
    this.judge = judge;
    this.box = byId("box");
    this.stage = byId("stage");
    this.box.addEventListener("close", () => { this.stage.replaceChildren(); closed(this.list, this.at); });
    byId("previous").addEventListener("click", () => this.go(-1));
    byId("next").addEventListener("click", () => this.go(1));
    byId("close").addEventListener("click", () => this.box.close());
    byId("zoom").addEventListener("click", () => this.zoom());
    byId("accept").addEventListener("click", () => this.verdict("accept"));
    byId("reject").addEventListener("click", () => this.verdict("reject"));
    this.stage.addEventListener("pointerdown", (event) => this.drag(event));
  }

  get job() { return this.list[this.at]; }

  open(job, list) {
    this.list = list;
    this.at = list.indexOf(job);
    this.draw();
    this.box.showModal();
    byId("details").focus({ preventScroll: true });
  }

  go(step) {
    const next = this.at + step;
    if (next < 0 || next >= this.list.length) return;
    this.at = next;
    this.draw();
  }

  verdict(verdict) {
    if (judgeable(this.job)) this.judge(this.job, verdicts.of(this.job) === verdict ? "" : verdict);
  }

  draw() {
    const { job } = this;
    this.fit();
    this.stage.replaceChildren(this.pictures(job));
    byId("position").textContent = `${(this.at + 1).toLocaleString("en")} of ${this.list.length.toLocaleString("en")}`;
    byId("previous").disabled = this.at === 0;
    byId("next").disabled = this.at === this.list.length - 1;
    byId("box-id").textContent = legible(job.id);
    byId("box-state").replaceChildren(make("span", { className: "tag" }, STATES[job.state]), job.state === "stored" ? "" : ` ${legible(job.next)}`);
    byId("box-state").dataset.state = job.state;
    byId("facts").replaceChildren(...this.facts(job));
    byId("details").scrollTop = 0;
    this.judged();
    const following = this.list[this.at + 1]?.files[0];
    if (following?.href) new Image().src = following.href;
  }

  judged() {
    const verdict = verdicts.of(this.job);
    byId("judge").hidden = !this.job.files.length;
    for (const each of ["accept", "reject"]) {
      byId(each).ariaPressed = String(verdict === each);
      byId(each).disabled = !judgeable(this.job);
    }
  }

  pictures(job) {
    const there = job.files.filter((file) => file.href || (shared.elsewhere && file.thumb));
    if (!there.length) {
      const why = job.files.length ? "The picture is not in the folder any more." : legible(job.reason ?? job.next);
      return make("p", { className: "blank" }, why);
    }
    const shown = there.map((file) => {
      const image = make("img", { alt: `Picture of ${legible(job.id)}`, src: file.href || file.thumb, draggable: false });
      image.addEventListener("error", () => { if (file.thumb && !image.src.endsWith(file.thumb)) image.src = file.thumb; }, { once: true });
      return image;
    });
    return shown.length === 1 ? shown[0] : make("div", { className: "row" }, ...shown);
  }

  facts(job) {
    const parts = [this.part("Prompt", make("p", { className: "prompt", dir: "auto" }, legibleLines(job.prompt)))];
    if (job.reason) parts.push(this.part(job.failure ? `Failed: ${job.failure.replace("_", " ")}` : "Why", make("p", { className: "prompt" }, legible(job.reason))));
    parts.push(this.part("Asked for", this.list_([
      ["model", job.model], ...Object.entries(job.settings).map(([name, value]) => [name.replaceAll("_", " "), value]),
      ["take", job.take > 1 ? job.take : null], ["references", job.references.join("\n") || null],
    ])));
    if (job.axes.size) parts.push(this.part("Axes", this.list_([...job.axes])));
    parts.push(this.part("Came of it", this.list_([
      ["attempts", job.attempts || null], ["task", job.task], ["cost", job.cost === null ? null : dollars(job.cost)],
      ["took", seconds(job) === null ? null : took(seconds(job))],
      ["sent", job.sent === null ? null : moment(job.sent)], ["here", job.ready === null ? null : moment(job.ready)],
      ["run", job.run], ["kept", job.changed ? "the manifest asks for something else now" : null],
      ...job.files.flatMap((file) => [
        ["file", file.href ? make("a", { href: file.href, target: "_blank", rel: "noopener" }, legible(file.name)) : file.name],
        ["", file.href ? null : shared.elsewhere && file.thumb ? `in ${legible(shared.elsewhere)}` : "not there any more"], ["", `${file.width} × ${file.height}, ${size(file.bytes)}`],
        ["sha256", make("span", { className: "mono" }, file.sha256)]]),
    ])));
    if (job.row) parts.push(this.part(`Row ${job.row[0]}`, this.list_(job.row[2].filter(([, cell]) => cell))));
    return parts;
  }

  part(title, content) { return make("section", {}, make("h3", {}, title), content); }

  list_(pairs) {
    const told = pairs.filter(([, value]) => value !== null && value !== undefined);
    return make("dl", { className: "facts" }, ...told.flatMap(([name, value]) => [
      make("dt", { dir: "auto" }, legible(name)),
      make("dd", { dir: "auto", className: "prompt" }, value instanceof Node ? value : legibleLines(value))]));
  }

  get image() { return this.stage.querySelector("img"); }

  fit() {
    delete this.stage.dataset.zoomed;
    byId("zoom").ariaPressed = "false";
  }

  zoom(by = null) {
    const { image, stage } = this;
    if (!image || !image.naturalWidth) return;
    if (by === null && "zoomed" in stage.dataset) { image.style.width = ""; this.fit(); return; }
    const before = image.getBoundingClientRect().width;
    const width = by === null ? image.naturalWidth : Math.max(64, Math.min(image.naturalWidth * 8, before * by));
    stage.dataset.zoomed = "";
    byId("zoom").ariaPressed = "true";
    const middle = [(stage.scrollLeft + stage.clientWidth / 2) / stage.scrollWidth, (stage.scrollTop + stage.clientHeight / 2) / stage.scrollHeight];
    image.style.width = `${width}px`;
    stage.scrollTo(middle[0] * stage.scrollWidth - stage.clientWidth / 2, middle[1] * stage.scrollHeight - stage.clientHeight / 2);
  }

  // A press that does not move is a click: in or out.
  drag(event) {
    if (event.button !== 0 || event.target.tagName !== "IMG") return;
    const start = [event.clientX, event.clientY, this.stage.scrollLeft, this.stage.scrollTop];
    let moved = false;
    const move = (now) => {
      const by = [now.clientX - start[0], now.clientY - start[1]];
      moved ||= Math.hypot(...by) > 4;
      if ("zoomed" in this.stage.dataset) this.stage.scrollTo(start[2] - by[0], start[3] - by[1]);
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", () => { removeEventListener("pointermove", move); if (!moved) this.zoom(); }, { once: true });
  }
}
