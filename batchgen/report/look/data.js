// The jobs of the page, which of them are meant, and what was judged. Texts from outside are only ever made into text
// nodes.

const byId = (id) => document.getElementById(id);

const make = (name, properties = {}, ...children) => {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key in element) element[key] = value;
    else element.setAttribute(key, value);
  }
  element.append(...children.filter((each) => each !== null));
  return element;
};

// Spelled out: controls, lone surrogates, and what turns the direction of the text behind it.
const HIDDEN = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;
const spelled = (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`;
const legible = (text) => String(text).replace(HIDDEN, spelled);
const legibleLines = (text) => String(text).replace(HIDDEN, (sign) => (sign === "\n" || sign === "\t" ? sign : spelled(sign)));

const shared = JSON.parse(byId("shared").textContent);

const jobs = JSON.parse(byId("jobs").textContent).map((line, place) => {
  const job = { place };
  shared.columns.forEach((column, at) => { job[column] = line[at]; });
  job.model = shared.models[job.model];
  job.settings = shared.settings[job.settings];
  job.axes = new Map(shared.axes[job.axes]);
  job.row = job.row === null ? null : shared.rows[job.row];
  job.next = shared.next[job.next];
  job.files = job.files.map((file) => Object.fromEntries(shared.fileColumns.map((column, at) => [column, file[at]])));
  return job;
});

const seconds = (job) => (job.sent === null || job.ready === null ? null : Math.max(0, job.ready - job.sent));

const took = (found) =>
  found < 0.0995 ? `${Math.max(1, Math.round(1000 * found))} ms`
  : found < 59.95 ? `${found.toFixed(1)} s` : `${(found / 60).toFixed(1)} min`;

const haystack = (job) => {
  job.hay ??= [job.id, job.prompt, ...(job.row ? job.row[2].map(([, cell]) => cell) : [])].join("\n").toLowerCase();
  return job.hay;
};

// Verdicts are kept with the attempt that was judged: a newer picture has none.
const verdicts = {
  key: `batchgen-verdicts:${shared.batch}`,
  kept: new Map(),

  load() {
    const attempts = new Map(jobs.map((job) => [job.id, job]));
    try {
      for (const [id, verdict, attempt] of JSON.parse(localStorage.getItem(this.key) ?? "[]")) {
        const job = attempts.get(id);
        if (job && judgeable(job) && job.attempts === attempt) this.kept.set(id, verdict);
      }
    } catch { /* kept nowhere, or not by us */ }
  },

  of(job) { return this.kept.get(job.id) ?? ""; },

  set(job, verdict) {
    if (verdict) this.kept.set(job.id, verdict);
    else this.kept.delete(job.id);
    this.store();
  },

  forget() {
    this.kept.clear();
    this.store();
  },

  store() {
    const attempts = new Map(jobs.filter(judgeable).map((job) => [job.id, job.attempts]));
    const lines = [...this.kept].map(([id, verdict]) => [id, verdict, attempts.get(id)]);
    try { localStorage.setItem(this.key, JSON.stringify(lines)); } catch { /* this page alone knows them */ }
  },

  picks() {
    const judged = (verdict) => jobs
      .filter((job) => judgeable(job) && this.of(job) === verdict)
      .map((job) => ({ id: job.id, attempt: job.attempts }));
    return { picks: judged("reject"), accepted: judged("accept") };
  },
};

const judgeable = (job) => job.state === "stored" && job.standing === "current";

// What the page shows is in its address, so that a link to it and the way back say the same.
const wanted = {
  text: "", states: new Set(), model: "", verdict: "", axes: new Map(), order: "", as: "wall", across: "",

  read() {
    const asked = new URLSearchParams(location.hash.includes("=") ? location.hash.slice(1) : "");
    this.text = asked.get("text") ?? "";
    this.states = new Set((asked.get("state") ?? "").split(",").filter(Boolean));
    this.model = asked.get("model") ?? "";
    this.verdict = asked.get("verdict") ?? "";
    this.order = asked.get("order") ?? "";
    this.as = asked.get("as") === "matrix" ? "matrix" : "wall";
    this.across = asked.get("across") ?? "";
    this.axes = new Map([...asked].filter(([key]) => key.startsWith("axis.")).map(([key, value]) => [key.slice(5), value]));
  },

  write() {
    const said = new URLSearchParams();
    if (this.text) said.set("text", this.text);
    if (this.states.size) said.set("state", [...this.states].join(","));
    for (const key of ["model", "verdict", "order", "across"]) if (this[key]) said.set(key, this[key]);
    if (this.as !== "wall") said.set("as", this.as);
    for (const [axis, value] of this.axes) if (value) said.set(`axis.${axis}`, value);
    const hash = String(said);
    try { history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search); } catch { /* a page without an address */ }
  },

  get narrowed() {
    return Boolean(this.text || this.states.size || this.model || this.verdict || [...this.axes.values()].some(Boolean));
  },

  clear() {
    Object.assign(this, { text: "", states: new Set(), model: "", verdict: "", axes: new Map() });
  },

  has(job) {
    if (this.states.size && !this.states.has(job.state)) return false;
    if (this.model && job.model !== this.model) return false;
    if (this.verdict && (verdicts.of(job) || "none") !== this.verdict) return false;
    for (const [axis, value] of this.axes) if (value && job.axes.get(axis) !== value) return false;
    return !this.text || haystack(job).includes(this.text.toLowerCase());
  },

  chosen() {
    const found = jobs.filter((job) => this.has(job));
    const by = { newest: (job) => job.at, slowest: (job) => seconds(job) ?? -1, dearest: (job) => job.cost ?? -1 }[this.order];
    return by ? found.sort((one, other) => by(other) - by(one) || one.place - other.place) : found;
  },
};

// All axes with their values, in the order in which jobs first name them.
const axes = new Map();
for (const job of jobs) {
  for (const [axis, value] of job.axes) {
    if (!axes.has(axis)) axes.set(axis, new Set());
    axes.get(axis).add(value);
  }
}
