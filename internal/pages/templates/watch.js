(function () {
  var watch = document.getElementById("watch").dataset;
  var url = watch.watch;
  var wait = 3000, timer;
  if (window.history.replaceState) history.replaceState(null, "", url);
  function later() { clearTimeout(timer); if (!document.hidden) timer = setTimeout(look, wait); }
  function look() {
    fetch(url, { headers: { Accept: "application/json" }, credentials: "same-origin" })
      .then(function (reply) {
        wait = reply.ok ? 3000 : 10000;
        return reply.json();
      })
      .then(function (news) {
        if (news.location && /^\/[^\/\\]/.test(news.location)) location.replace(news.location);
        else if (watch.state && news.status && news.status !== watch.state) location.replace(url);
        else later();
      })
      .catch(function () { wait = 10000; later(); });
  }
  document.addEventListener("visibilitychange", function () { if (!document.hidden) look(); });
  later();
})();
