"use strict";

// The view's half of MCP Apps: JSON-RPC with the window that holds this one. All text is put in as text, never as HTML.

const PROTOCOL = "2026-01-26";
const WAIT_SECONDS = 20;
const waiting = new Map();
let lastId = 0;

function post(message) {
  window.parent.postMessage({ jsonrpc: "2.0", ...message }, "*");
}

function request(method, params) {
  const id = ++lastId;
  post({ id, method, params });
  return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
}

/** Calls a tool of the server through the host; throws with what the tool says when it refuses. */
async function callTool(name, args) {
  const result = await request("tools/call", { name, arguments: args });
  if (result.isError) throw new Error(result.content?.[0]?.text ?? "The call failed.");
  return result.structuredContent;
}

window.addEventListener("message", (event) => {
  if (event.source !== window.parent || event.data?.jsonrpc !== "2.0") return;
  const { id, method, params, result, error } = event.data;
  if (method === undefined) {
    const asked = waiting.get(id);
    waiting.delete(id);
    if (asked) error ? asked.reject(new Error(error.message)) : asked.resolve(result);
  } else if (method === "ui/notifications/tool-result") {
    if (params?.isError) say(params.content?.[0]?.text ?? "The call failed.");
    else if (params?.structuredContent) show(params.structuredContent);
  } else if (method === "ui/notifications/host-context-changed") {
    dress(params ?? {});
  } else if (method === "ui/resource-teardown") {
    torn = true;
    post({ id, result: {} });
  } else if (id !== undefined) {
    post(method === "ping" ? { id, result: {} } : { id, error: { code: -32601, message: "Method not found" } });
  }
});

function dress(context) {
  if (context.theme) document.documentElement.style.colorScheme = context.theme;
  for (const [name, value] of Object.entries(context.styles?.variables ?? {})) {
    if (name.startsWith("--") && value) document.documentElement.style.setProperty(name, value);
  }
}

// What is shown ----------------------------------------------------------------------------------------------------

let torn = false;
let following = "";
let shown = null;
let counted = { id: "", timer: 0 };
const weights = new Map();

const place = (id) => document.getElementById(id);

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function say(text) {
  place("said").textContent = text;
}

function show(document_) {
  say("");
  if (document_.task !== undefined) showTask(document_);
  else if (document_.run_id !== undefined) showRun(document_);
}

function showTask(report) {
  const passed = report.results.filter((row) => row.rank !== null).length;
  place("title").textContent = `Task ${report.task}`;
  place("headline").textContent = `${passed} of ${report.results.length} candidates pass`;
  const rows = report.results.map((row) => [
    row.candidate.id,
    state(row.verdict),
    `${number(row.weight_passed)}/${number(row.weight_total)}`,
    element("td", row.reason, "reason"),
  ]);
  fill(["candidate", "verdict", "points", "why"], rows, report.results.map((row) => (row.rank === null ? "rejected" : "")));
}

function showRun(run) {
  shown = run;
  place("title").textContent = `${run.function} · ${run.run_id}`;
  const bar = place("progress");
  bar.hidden = run.state !== "running";
  place("stop").hidden = bar.hidden;
  if (!bar.hidden) countSeconds(run.run_id);
  if (run.progress.planned) {
    bar.max = 2 * run.progress.planned;
    bar.value = run.progress.generated + run.progress.executed;
  } else {
    bar.removeAttribute("value");
  }
  const result = run.result;
  place("headline").textContent = result ? result.headline : run.failure || run.progress.doing;
  place("ground").textContent = result ? ground(result) : "";
  if (result) {
    showWeights(result);
    showRows();
    showClusters(result);
  }
  if (run.state === "running" && following !== run.run_id) follow(run.run_id);
}

/** How long a run has been followed here; when it began is not told. */
function countSeconds(id) {
  if (counted.id === id) return;
  clearInterval(counted.timer);
  const began = Date.now();
  const tell = () => {
    place("time").textContent = `followed for ${Math.round((Date.now() - began) / 1000)} s`;
    if (torn || shown.state !== "running") clearInterval(counted.timer);
  };
  counted = { id, timer: setInterval(tell, 1000) };
  tell();
}

place("cancel").addEventListener("click", async () => {
  try {
    showRun(await callTool("cancel_run", { id: shown.run_id }));
  } catch (error) {
    say(error.message);
  }
});

function ground(result) {
  const evidence = result.evidence;
  const covered = evidence.coverage ? `, ${Math.round((100 * evidence.coverage.hit) / Math.max(1, evidence.coverage.total))} % of its lines` : "";
  const noticed = evidence.mutation ? `, would notice ${evidence.mutation.noticed} of ${evidence.mutation.total} changes of it` : "";
  return `${result.mode}, goal ${result.goal}: ${evidence.tests} tests and ${evidence.cases} inputs${covered}${noticed}. ${evidence.notes.join(" ")}`;
}

async function follow(id) {
  following = id;
  try {
    while (!torn && following === id) {
      const run = await callTool("get_run", { id, wait_seconds: WAIT_SECONDS, limit: 100 });
      if (following !== id) return;
      showRun(run);
      if (run.state !== "running") break;
    }
  } catch (error) {
    say(error.message);
  }
  if (following === id) following = "";
}

function showWeights(result) {
  const names = new Set(result.rows.flatMap((row) => Object.keys(row.score?.parts ?? {})));
  const box = place("weights");
  for (const name of names) {
    if (weights.has(name)) continue;
    weights.set(name, 1);
    const label = element("label", name);
    const slider = element("input");
    Object.assign(slider, { type: "range", min: "0", max: "3", step: "0.1", value: "1" });
    slider.addEventListener("input", () => {
      weights.set(name, Number(slider.value));
      showRows();
    });
    label.append(slider);
    box.append(label);
  }
  box.hidden = weights.size === 0;
}

/** The sum of a row's parts by the weights that the sliders say; 1 is what the goal gives a part. */
function weighed(row) {
  return Object.entries(row.score?.parts ?? {}).reduce((sum, [name, part]) => sum + part * (weights.get(name) ?? 1), 0);
}

/** The score by these weights, in the scale in which the original keeps its own. */
function points(row) {
  const original = shown.result.original;
  const scale = original.score && weighed(original) ? original.score.total / weighed(original) : 1;
  return weighed(row) * scale;
}

function showRows() {
  const result = shown.result;
  const isChanged = [...weights.values()].some((weight) => weight !== 1);
  const ranked = result.rows.filter((row) => row.rank !== null);
  if (isChanged) ranked.sort((a, b) => points(b) - points(a));
  const rejected = result.rows.filter((row) => row.rank === null);
  const all = [result.original, ...ranked, ...rejected];
  const reach = Math.max(2, ...all.flatMap(({ speed: known }) => (known ? [known.high, 1 / known.low] : [])));
  const cells = all.map((row) => [
    row.number === null ? "–" : `#${row.number}${row.tied ? " =" : ""}`,
    row.label,
    state(row.verdict),
    speed(row.speed, reach),
    row.memory?.ratio ? `${row.memory.ratio.toFixed(2)}×` : "",
    row.readability ? Math.round(row.readability.score) : "",
    row.diff.added || row.diff.removed ? `+${row.diff.added} −${row.diff.removed}` : "",
    row.score ? Math.round(isChanged ? points(row) : row.score.total) : "",
    element("td", row.reason || row.verdict.reason, "reason"),
    buttons(row),
  ]);
  const classes = all.map((row) => (row.rank === null ? "rejected" : row.id === result.best ? "best" : ""));
  fill(["", "candidate", "evidence", "speed", "memory", "reads", "lines", "score", "why", ""], cells, classes);
}

function state(verdict) {
  const { status } = verdict;
  const isGood = status === "passed";
  return element("td", isGood ? verdict.evidence : status, isGood || status === "conditional" ? status : "failed");
}

/** The interval in figures and as a bar around 1×, which all rows draw to the same scale. */
function speed(interval, reach) {
  const cell = element("td");
  if (!interval) return cell;
  const at = (ratio) => 50 + (50 * Math.log(ratio)) / Math.log(reach);
  const isSurely = interval.low > 1 ? "passed" : interval.high < 1 ? "failed" : "";
  const bar = element("span", undefined, `interval ${isSurely}`);
  const within = element("span");
  within.style.left = `${at(interval.low)}%`;
  within.style.width = `${at(interval.high) - at(interval.low)}%`;
  bar.append(within);
  bar.setAttribute("aria-hidden", "true");
  cell.append(`${interval.ratio.toFixed(2)}× [${interval.low.toFixed(2)}, ${interval.high.toFixed(2)}]`, bar);
  return cell;
}

function number(value) {
  return Number.isInteger(value) ? String(value) : value.toFixed(2);
}

/** What the headings mean. */
const EXPLAINED = {
  evidence: "How strong the proof is that it does the same",
  speed: "How many times as fast as the original, with the interval that holds it",
  memory: "How much less memory at the peak",
  reads: "How easy it is to read, from 0 to 100",
  lines: "Lines added and removed",
  score: "Out of 100, by what counts",
};

function fill(headings, rows, classes) {
  const table = place("rows");
  const top = element("tr");
  top.append(
    ...headings.map((text) => {
      const made = element("th", text);
      made.title = EXPLAINED[text] ?? "";
      return made;
    }),
  );
  table.tHead.replaceChildren(top);
  table.tBodies[0].replaceChildren(
    ...rows.map((cells, index) => {
      const line = element("tr", undefined, classes[index]);
      line.append(
        ...cells.map((cell, column) => {
          const made = cell instanceof Node ? cell : element("td", String(cell));
          if (headings[column] && headings[column] !== "candidate") made.dataset.heading = headings[column];
          return made;
        }),
      );
      return line;
    }),
  );
  table.hidden = false;
}

function buttons(row) {
  const cell = element("td");
  if (row.rank === null || row.id === "original") return cell;
  const box = element("div", undefined, "buttons");
  const look = element("button", "diff");
  look.addEventListener("click", () => change(row, null));
  if (CAME_AS_TEXT.test(shown.path)) {
    const copy = element("button", `copy #${row.number}`);
    copy.addEventListener("click", () => source(row));
    box.append(look, copy);
    cell.append(box);
    return cell;
  }
  const apply = element("button", `apply #${row.number}`);
  apply.addEventListener("click", () => {
    if (apply.classList.toggle("sure")) apply.textContent = "write the file?";
    else change(row, shown.path);
  });
  box.append(look, apply);
  cell.append(box);
  return cell;
}

/** The path of code that was given as text: nothing can be written into it. */
const CAME_AS_TEXT = /[\\/]given[^\\/]*[\\/][0-9a-f]{16}[\\/]given\.py$/;

/** Shows the new source, and puts it into the clipboard where the host allows that. */
async function source(row) {
  say("");
  try {
    const answer = await callTool("apply_candidate", { id: shown.run_id, rank: row.id });
    const box = place("change");
    box.querySelector("h2").textContent = row.label;
    box.querySelector("pre").replaceChildren(element("span", answer.source));
    box.hidden = false;
    box.scrollIntoView({ block: "nearest" });
    await navigator.clipboard?.writeText(answer.source).catch(() => getSelection()?.selectAllChildren(box.querySelector("pre")));
  } catch (error) {
    say(error.message);
  }
}

async function change(row, path) {
  say("");
  try {
    const target = path === null ? {} : { write_to: path };
    const answer = await callTool("apply_candidate", { id: shown.run_id, rank: row.id, ...target });
    const box = place("change");
    box.querySelector("h2").textContent = `${row.label}${answer.written ? ` was written into ${answer.path}` : ""}`;
    box.querySelector("pre").replaceChildren(
      ...answer.patch.split("\n").map((line) => {
        const kind = line.startsWith("+") ? "added" : line.startsWith("-") ? "removed" : "";
        return element("span", `${line}\n`, kind);
      }),
    );
    box.hidden = false;
    box.scrollIntoView({ block: "nearest" });
  } catch (error) {
    say(error.message);
  }
  showRows();
}

function showClusters(result) {
  const box = place("clusters");
  const items = result.clusters.map((cluster) => {
    const item = element("li", cluster.members.join(", "));
    const list = element("ul");
    for (const found of cluster.differences.filter((other) => other.other > cluster.index)) {
      const others = result.clusters.find((other) => other.index === found.other)?.members[0] ?? `group ${found.other}`;
      const line = element("li", `unlike ${others}: `);
      line.append(element("code", `${found.call} → ${found.here} | ${found.there}`));
      list.append(line);
    }
    if (list.childElementCount) item.append(list);
    return item;
  });
  box.querySelector("ul").replaceChildren(...items);
  box.hidden = items.length < 2;
}

// The beginning ----------------------------------------------------------------------------------------------------

new ResizeObserver(() => {
  const { width, height } = document.documentElement.getBoundingClientRect();
  post({ method: "ui/notifications/size-changed", params: { width: Math.ceil(width), height: Math.ceil(height) } });
}).observe(document.documentElement);

request("ui/initialize", {
  protocolVersion: PROTOCOL,
  appInfo: { name: "codeens", version: "1" },
  appCapabilities: {},
}).then(
  (host) => {
    dress(host.hostContext ?? {});
    post({ method: "ui/notifications/initialized", params: {} });
  },
  (error) => say(error.message),
);
