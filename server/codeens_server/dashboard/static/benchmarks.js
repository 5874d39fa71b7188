// Benchmarks: the form that starts one, and the list, which is fetched anew while one goes on.

import { call } from "./call.js";

const list = document.getElementById("benchmarks");
const EVERY_MS = 1000;

function words(text) {
  return text.trim() ? text.trim().split(/[\s,]+/) : [];
}

async function refresh() {
  const answer = await fetch("/benchmarks?part=true");
  if (answer.ok) list.innerHTML = await answer.text();
  follow();
}

function follow() {
  if (list.querySelector("[data-live=yes]")) setTimeout(refresh, EVERY_MS);
}

list.addEventListener("click", async (event) => {
  const button = event.target.closest("button.stop");
  if (!button) return;
  button.disabled = true;
  await call(`/api/benchmarks/${button.dataset.name}/stop`, "POST");
});

document.getElementById("start-benchmark").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const { dataset, models, variants, tasks, samples, budget_usd, engine } = Object.fromEntries(new FormData(form));
  const asked = { dataset: dataset.trim(), models: words(models), variants: words(variants), samples: Number(samples) || 1 };
  if (tasks) asked.tasks = Number(tasks);
  if (engine.trim()) asked.engine = engine.trim();
  if (budget_usd) asked.budget_usd = Number(budget_usd);
  const said = form.querySelector(".said");
  said.textContent = "";
  try {
    await call("/api/benchmarks", "POST", asked);
    await refresh();
  } catch (error) {
    said.textContent = error.message;
  }
});

follow();
