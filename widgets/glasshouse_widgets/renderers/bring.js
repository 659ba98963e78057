// Plotly takes a second to start, so a served page asks for it when its frame stands. Notebooks bring it themselves: engine.js.
function bring(source) {
  if (!source || window.Plotly || document.getElementById("gh-plotly")) return;
  const script = document.createElement("script");
  script.id = "gh-plotly";
  script.src = source;
  document.head.append(script);
}
