(function () {
  var sheet = document.getElementById("sheet");
  var button = document.getElementById("pay");
  var title = document.querySelector("h1");
  var ring = document.getElementById("ring");
  var note = document.getElementById("note");
  var shop = document.getElementById("shop");
  var params = JSON.parse(sheet.dataset.params);
  var open = false, begun = false;
  function leave() { location.replace(sheet.dataset.back); }
  function closed(result) {
    var message = (result && result.err_msg) || "";
    open = false;
    if (/:ok$/.test(message)) return location.replace(sheet.dataset.back + "?sheet=ok");
    title.textContent = sheet.dataset.unpaid;
    ring.hidden = true;
    note.textContent = /:cancel$/.test(message) ? sheet.dataset.cancelled : sheet.dataset.failed;
    button.hidden = false;
    if (shop) shop.hidden = false;
  }
  function pay() {
    if (open || !window.WeixinJSBridge) return;
    open = begun = true;
    button.hidden = true;
    note.textContent = sheet.dataset.opening;
    window.WeixinJSBridge.invoke("getBrandWCPayRequest", params, closed);
  }
  function ready() { if (!begun) pay(); }
  button.addEventListener("click", pay);
  window.addEventListener("pageshow", function (event) { if (event.persisted && begun) leave(); });
  if (window.WeixinJSBridge) return ready();
  document.addEventListener("WeixinJSBridgeReady", ready, false);
  setTimeout(function () {
    if (begun) return;
    if (sheet.dataset.fallback) location.replace(sheet.dataset.fallback);
    else note.textContent = sheet.dataset.elsewhere;
  }, 4000);
})();
