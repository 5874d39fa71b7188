// Ensemble, variants, settings and health: what is changed is said, and the page is shown as it is then.

import { call } from "./call.js";

const said = document.getElementById("said");

function byId(id, event, act) {
  document.getElementById(id)?.addEventListener(event, act);
}

/** Does something, and shows the page anew; why it was refused is said on it. */
async function change(button, act) {
  button.disabled = true;
  try {
    const told = await act();
    if (told) sessionStorage.setItem("told", told);
    location.reload();
  } catch (error) {
    said.textContent = error.message;
    said.setAttribute("role", "alert");
    button.disabled = false;
  }
}

// What was told before the page was shown anew.
if (said && sessionStorage.getItem("told")) {
  said.textContent = sessionStorage.getItem("told");
  sessionStorage.removeItem("told");
}

// The ensemble -----------------------------------------------------------------------------------------------------

function kept(told) {
  const but = told.overruled_by ? ` But ${told.overruled_by} says otherwise, and stands before it.` : "";
  return `Written into ${told.path}.${but}`;
}

for (const button of document.querySelectorAll("button.choose")) {
  button.addEventListener("click", () =>
    change(button, async () => {
      const { model, variant } = button.dataset;
      const place = document.getElementById("place").value;
      return kept(await call("/api/ensemble", "PUT", { model, variant, place }));
    }),
  );
}

byId("undo-default", "click", (event) =>
  change(event.target, async () => kept(await call(`/api/ensemble?place=${document.getElementById("place").value}`, "DELETE"))),
);

// Variants ---------------------------------------------------------------------------------------------------------

for (const box of document.querySelectorAll("input[role=switch]")) {
  box.addEventListener("change", () =>
    change(box, async () => {
      const told = await call(`/api/variants/${box.dataset.variant}`, "PUT", { used: box.checked });
      return `${told.name} is ${told.used ? "used" : "only used when it is named"}.${told.overruled ? " Other settings say so, and stand before yours." : ""}`;
    }),
  );
}

for (const button of document.querySelectorAll("button.remove")) {
  button.addEventListener("click", () => {
    if (!confirm(`Remove the variant ${button.dataset.variant}?`)) return;
    change(button, async () => `Removed ${(await call(`/api/variants/${button.dataset.variant}`, "DELETE")).path}.`);
  });
}

async function chosenSource(form) {
  const [first, ...more] = form.elements.files.files;
  if (!first) return { place: form.elements.place.value.trim() };
  if (first.name.endsWith(".zip")) {
    const bytes = new Uint8Array(await first.arrayBuffer());
    return { pack: btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join("")) };
  }
  return { files: await Promise.all([first, ...more].map(async (file) => ({ name: file.name, text: await file.text() }))) };
}

/** Shows a manifest as text only: whoever wrote it is a stranger. */
function drawn(preview) {
  const shown = document.getElementById("preview").content.cloneNode(true).firstElementChild;
  const { variant, file } = preview;
  shown.querySelector("h3").textContent = variant ? variant.name : file.name;
  shown.querySelector(".what").textContent = variant ? variant.description : preview.problem;
  shown.querySelector("pre").textContent = variant ? variant.prompt : file.text;
  for (const sentence of preview.does) {
    const line = document.createElement("li");
    line.textContent = sentence;
    shown.querySelector("ul").append(line);
  }
  if (!variant) shown.querySelector(".keep").remove();
  else shown.querySelector(".keep").append(` (${variant.name})`);
  return shown;
}

byId("source", "submit", async (event) => {
  event.preventDefault();
  const box = document.getElementById("previews");
  const refused = document.getElementById("refused");
  refused.textContent = "";
  box.replaceChildren();
  try {
    const previews = await call("/api/variants/preview", "POST", await chosenSource(event.target));
    const cards = previews.map(drawn);
    box.append(...cards);
    if (!previews.some(({ variant }) => variant)) return;
    const save = document.createElement("button");
    save.textContent = "Keep what is ticked";
    save.addEventListener("click", () => {
      const files = previews.filter((_, index) => cards[index].querySelector(".keep input")?.checked).map(({ file }) => file);
      change(save, async () => `Kept ${(await call("/api/variants", "POST", { files })).paths.join(", ")}.`);
    });
    box.append(save);
  } catch (error) {
    refused.textContent = error.message;
  }
});

// Settings and health ----------------------------------------------------------------------------------------------

byId("only-set", "change", (event) => document.querySelector("table.settings").classList.toggle("only-set", event.target.checked));

const checks = document.getElementById("checks");
if (checks) {
  const answer = await fetch(checks.dataset.part);
  const parsed = new DOMParser().parseFromString(await answer.text(), "text/html");
  checks.replaceChildren(...(answer.ok ? parsed.body : parsed.querySelector("main")).childNodes);
}
