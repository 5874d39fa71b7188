// The live parts: a run that is followed, sliders that rank again, the slider through time, and the form that starts.

import { call } from "./call.js";

const part = document.getElementById("part");
const weights = new Map();
let released = Promise.resolve();

// A button that is drawn anew between press and release is never clicked; the click comes right after the release.
document.addEventListener("pointerdown", () => {
  released = new Promise((done) => {
    for (const kind of ["pointerup", "pointercancel", "blur"]) addEventListener(kind, () => setTimeout(done), { once: true });
  });
});

// A run ------------------------------------------------------------------------------------------------------------

/** Fetches the part anew when something happened; what happens meanwhile is one more time, not many. */
function refresher(run) {
  let isBusy = false;
  let isStale = false;
  return async function refresh() {
    if (isBusy) {
      isStale = true;
      return;
    }
    isBusy = true;
    do {
      isStale = false;
      const answer = await fetch(`/runs/${run}?part=true`);
      const html = answer.ok && (await answer.text());
      await released;
      if (html) draw(html);
    } while (isStale);
    isBusy = false;
  };
}

function draw(html) {
  const open = new Set([...part.querySelectorAll("details[open]")].map(place));
  const focused = document.activeElement?.id;
  const parsed = new DOMParser().parseFromString(html, "text/html");
  part.replaceChildren(...parsed.body.childNodes);
  for (const details of part.querySelectorAll("details")) details.open = open.has(place(details));
  prepare();
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

/** What says of a `details` which one it is, also after it was drawn anew. */
function place(details) {
  const row = details.closest("tr.why")?.previousElementSibling;
  return row ? row.id : details.querySelector("summary").textContent.replace(/\d+/g, "");
}

function follow(run) {
  const refresh = refresher(run);
  const source = new EventSource(`/api/runs/${run}/events?after=${part.dataset.seq}`);
  const kinds =
    "run_started candidates_given run_resumed models_briefed evidence_gathered case_pinned original_measured candidates_planned candidate_generated generation_failed inputs_asked candidate_judged candidate_measured sandbox_failed noted run_stopped progress";
  for (const kind of kinds.split(" ")) source.addEventListener(kind, refresh);
  source.addEventListener("run_finished", () => {
    source.close();
    refresh();
  });
  // The server closes a run that failed, or is being started again: in both cases the page says how it stands.
  source.addEventListener("error", refresh);
}

// What counts ------------------------------------------------------------------------------------------------------

const NAMES = { correctness: "Correctness", quality: "Readability", speed: "Speed", efficiency: "Memory" };

function prepareWeights() {
  const box = document.getElementById("weights");
  if (!box) return;
  const scores = JSON.parse(box.dataset.scores);
  const names = new Set(Object.values(scores).flatMap((parts) => Object.keys(parts)));
  for (const name of names) {
    const label = document.createElement("label");
    const slider = document.createElement("input");
    Object.assign(slider, { type: "range", min: "0", max: "3", step: "0.1", value: String(weights.get(name) ?? 1), id: `weight-${name}` });
    slider.addEventListener("input", () => {
      weights.set(name, Number(slider.value));
      rank(scores);
    });
    label.append(NAMES[name] ?? name, slider);
    box.append(label);
  }
  const reset = document.createElement("button");
  Object.assign(reset, { type: "button", textContent: "As the run ranked them", id: "weights-reset" });
  reset.addEventListener("click", () => location.reload());
  box.append(reset);
  if (weights.size) rank(scores);
}

/** Orders the rows of each group by what counts now; places are then those of these weights, for all that passed. */
function rank(scores) {
  const sum = (id) => Object.entries(scores[id] ?? {}).reduce((all, [name, value]) => all + value * (weights.get(name) ?? 1), 0);
  const rows = [...document.querySelectorAll("#rows tr[data-row]")];
  const ranked = rows.filter((row) => scores[row.dataset.row] && !row.classList.contains("original"));
  ranked.sort((a, b) => sum(b.dataset.row) - sum(a.dataset.row));
  for (const [index, row] of ranked.entries()) {
    row.querySelector(".place").textContent = String(index + 1);
    const why = row.nextElementSibling?.classList.contains("why") ? row.nextElementSibling : null;
    row.parentElement.append(row, ...(why ? [why] : []));
  }
}

// Time -------------------------------------------------------------------------------------------------------------

function prepareTime() {
  const slider = document.getElementById("time");
  if (!slider) return;
  slider.addEventListener("input", () => {
    slider.parentElement.querySelector("output").textContent = slider.value;
  });
  slider.addEventListener("change", () => {
    const page = new URL(location.href);
    if (slider.value === slider.max) page.searchParams.delete("at");
    else page.searchParams.set("at", slider.value);
    location.assign(page);
  });
}

function prepare() {
  prepareWeights();
  prepareTime();
  document.getElementById("stop")?.addEventListener("click", (event) => {
    event.target.disabled = true;
    call(`/api/runs/${part.dataset.run}/stop`, "POST");
  });
}

if (part) {
  prepare();
  if (part.dataset.live === "yes") follow(part.dataset.run);
}

document.addEventListener("click", (event) => {
  if (event.target.matches?.("button.print")) print();
});

// What is drawn anew now and then, while somebody looks ------------------------------------------------------------

for (const live of document.querySelectorAll("[data-every]"))
  setInterval(async () => {
    if (document.hidden || live.contains(document.activeElement)) return;
    const answer = await fetch(live.dataset.part);
    if (!answer.ok) return;
    const parsed = new DOMParser().parseFromString(await answer.text(), "text/html");
    await released;
    live.replaceChildren(...parsed.body.childNodes);
  }, 1000 * Number(live.dataset.every));

// The list of runs -------------------------------------------------------------------------------------------------

document.getElementById("start")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const { target, models, budget_usd, ...rest } = Object.fromEntries(new FormData(form));
  const options = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== ""));
  if (models.trim()) options.models = models.trim().split(/[\s,]+/);
  if (budget_usd) options.budget_usd = Number(budget_usd);
  const said = form.querySelector(".said");
  const button = form.querySelector("button");
  said.textContent = "";
  button.disabled = true;
  try {
    const started = await call("/api/runs", "POST", { target, options });
    location.assign(`/runs/${started.run_id}`);
  } catch (error) {
    said.textContent = error.message;
    button.disabled = false;
  }
});

for (const line of document.querySelectorAll("[data-follow]")) {
  const source = new EventSource(`/api/runs/${line.dataset.follow}/events`);
  source.addEventListener("run_finished", () => location.reload());
}
