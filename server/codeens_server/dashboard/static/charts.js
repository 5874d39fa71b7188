// Figures that can be looked into, by Plotly from its package. Without it, or without a script, pages say the same.

// Plotly sets `style` as an attribute, which the policy of these pages refuses; the same through the object model is none.
const setAttribute = Element.prototype.setAttribute;
Element.prototype.setAttribute = function (name, value) {
  if (name === "style") this.style.cssText = value;
  else setAttribute.call(this, name, value);
};

const loaded = new Promise((resolve, reject) => {
  const script = document.createElement("script");
  script.src = "/static/plotly.js";
  // At once it adds a sheet for maps, of which there are none here, and which the policy would refuse.
  const create = document.createElement;
  document.createElement = (name, ...more) => create.call(document, name === "style" ? "template" : name, ...more);
  script.addEventListener("load", () => {
    delete document.createElement;
    resolve(globalThis.Plotly);
  });
  script.addEventListener("error", reject);
  if (document.querySelector("[data-chart]") || document.getElementById("part")) document.head.append(script);
  else delete document.createElement;
});

/** Text for Plotly, which reads some tags: what strangers wrote has none. */
const text = (said) => String(said).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
/** A colour of the page, of this moment's scheme. */
function colour(name) {
  const probe = document.createElement("i");
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}
/** Told apart also by who does not see all colours (Okabe and Ito). */
const COLOURS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#8c8c8c"];
const dollars = (usd) => `$${usd.toPrecision(3)}`;

const CHARTS = {
  pareto: (rows) => ({
    height: 420,
    data: [
      {
        x: rows.map((row) => row.speed),
        y: rows.map((row) => row.memory),
        text: rows.map((row) => text(row.place)),
        hovertext: rows.map((row) => `${text(row.label)}<br>${row.speed.toPrecision(3)}× as fast, ${row.memory.toPrecision(3)}× the memory` + (row.readable === null ? "" : `<br>readable ${row.readable.toFixed(0)}`)),
        hoverinfo: "text",
        mode: "markers+text",
        textposition: "top center",
        marker: {
          size: rows.map((row) => (row.best ? 17 : 11)),
          symbol: rows.map((row) => (row.best ? "star" : row.is_beaten ? "circle-open" : "circle")),
          color: rows.map((row) => row.readable),
          colorscale: "Viridis",
          cmin: 0,
          cmax: 100,
          line: { width: 1, color: colour("text") },
          colorbar: { title: { text: "Readable" }, thickness: 12, outlinewidth: 0 },
        },
      },
    ],
    xaxis: { type: "log", title: { text: "times as fast" } },
    yaxis: { type: "log", title: { text: "memory, of the original's" } },
  }),
  costs: (rows) => ({
    height: 320,
    data: [...new Set(rows.map((row) => row.model))].map((model) => {
      const own = rows.filter((row) => row.model === model);
      return {
        type: "bar",
        name: text(model),
        x: own.map((row) => row.day),
        y: own.map((row) => row.cost_usd),
        hovertext: own.map((row) => `${text(model)}, ${row.day}: ${dollars(row.cost_usd)}, ${row.wins} won`),
        hoverinfo: "text",
        textposition: "none",
      };
    }),
    barmode: "stack",
    bargap: Math.max(0.2, 1 - new Set(rows.map((row) => row.day)).size / 10),
    colorway: COLOURS,
    showlegend: innerWidth > 600,
    xaxis: { type: "category", categoryorder: "category ascending" },
    yaxis: { tickprefix: "$", rangemode: "tozero" },
  }),
  systems: (rows) => ({
    height: 420,
    data: [
      {
        x: rows.map((row) => row.cost_usd / row.runs),
        y: rows.map((row) => 100 * row.won.value),
        error_y: {
          type: "data",
          symmetric: false,
          array: rows.map((row) => 100 * (row.won.high - row.won.value)),
          arrayminus: rows.map((row) => 100 * (row.won.value - row.won.low)),
          thickness: 1,
        },
        hovertext: rows.map((row) => `${text(row.model)} · ${text(row.variant)}<br>won ${(100 * row.won.value).toFixed(0)} % [${(100 * row.won.low).toFixed(0)}, ${(100 * row.won.high).toFixed(0)}] of ${row.runs}<br>${dollars(row.cost_usd / row.runs)} a run`),
        hoverinfo: "text",
        mode: "markers",
        cliponaxis: false,
        marker: { size: 9, color: colour("accent") },
      },
    ],
    xaxis: { tickprefix: "$", title: { text: "a run" }, rangemode: "tozero" },
    yaxis: { ticksuffix: " %", title: { text: "won" }, range: [0, 103] },
  }),
};

async function draw(figure) {
  const Plotly = await loaded;
  const { data, height, xaxis, yaxis, ...more } = CHARTS[figure.dataset.chart](JSON.parse(figure.dataset.rows));
  const place = document.createElement("div");
  place.className = "chart";
  place.setAttribute("role", "img");
  place.setAttribute("aria-label", figure.querySelector("figcaption").textContent);
  figure.querySelector(":scope > svg, .chart")?.remove();
  figure.append(place);
  const axis = { gridcolor: colour("line"), linecolor: colour("line"), zeroline: false, automargin: true };
  const layout = {
    height,
    margin: { l: 56, r: 12, t: 12, b: 44 },
    paper_bgcolor: "transparent",
    plot_bgcolor: "transparent",
    font: { family: getComputedStyle(document.body).fontFamily, color: colour("text"), size: 12 },
    showlegend: false,
    legend: { orientation: "h" },
    xaxis: { ...axis, ...xaxis },
    yaxis: { ...axis, ...yaxis },
    ...more,
  };
  await Plotly.newPlot(place, data, layout, { displayModeBar: false, responsive: true });
}

function drawAll() {
  for (const figure of document.querySelectorAll("[data-chart]")) draw(figure);
}

drawAll();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
// A run that goes on is drawn anew as a whole.
const part = document.getElementById("part");
if (part) new MutationObserver(drawAll).observe(part, { childList: true });
