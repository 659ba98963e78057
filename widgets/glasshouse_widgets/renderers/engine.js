// Brings Plotly to a notebook once per page: the source comes with the widget, from the installed package, not from a network.

function initialize({ model }) {
  if (window.Plotly || !model.get("source")) return;
  new Function("module", "exports", "define", model.get("source")).call(window);
}

export default { initialize };
