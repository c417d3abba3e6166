(function () {
  var again = document.getElementById("again");
  setTimeout(function () { location.replace(again.dataset.check); }, again.dataset.after * 1000);
})();
