// A page whose connection is refused would stay empty: Bokeh sends all that is to be seen through its socket.
// This stands in the page itself and says in one sentence what happened and which option helps.
(() => {
  const say = (...sentences) => {
    if (document.querySelector(".door")) return;
    const box = document.createElement("main"), title = document.createElement("h1");
    box.className = "door";
    box.setAttribute("role", "alert");
    title.textContent = "This page has no connection to its server.";
    box.append(title, ...sentences.map((sentence) => {
      const line = document.createElement(sentence.startsWith("glasshouse ") ? "code" : "p");
      line.textContent = sentence;
      return line;
    }));
    document.body.append(box);
  };
  const refused = async () => {
    let found = null;
    try { found = await (await fetch(`door?host=${encodeURIComponent(location.host)}`)).json(); } catch { /* nobody there */ }
    if (!found) say("The server does not answer. Reload the page when it runs again.");
    else if (!found.welcome) say(`It was opened at ${location.host}, and the server refuses connections from there. Start it with:`,
      `glasshouse serve --allow-origin ${location.host}`);
    else say("The server answers and lets this address in, but something between here and there does not pass WebSockets on.");
  };
  const Plain = window.WebSocket;
  let opened = false;
  window.WebSocket = class extends Plain {
    constructor(...given) {
      super(...given);
      if (/\/ws(\?|$)/.test(String(given[0]))) window.glasshouseSocket = this;
      if (opened || !/\/ws(\?|$)/.test(String(given[0]))) return;
      this.addEventListener("open", () => { opened = true; });
      this.addEventListener("close", () => { if (!opened) refused(); });
    }
  };
})();
