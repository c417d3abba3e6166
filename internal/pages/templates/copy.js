(function () {
  var field = document.getElementById("link");
  var button = document.getElementById("copy");
  var note = document.getElementById("note");
  function all() { field.focus(); field.setSelectionRange(0, field.value.length); }
  function tell(done) { note.textContent = done ? button.dataset.done : button.dataset.failed; }
  function old() {
    all();
    try { tell(document.execCommand("copy")); } catch (e) { tell(false); }
  }
  field.addEventListener("click", all);
  field.addEventListener("focus", function () { field.select(); });
  button.addEventListener("click", function () {
    if (!navigator.clipboard) return old();
    navigator.clipboard.writeText(field.value).then(function () { tell(true); }, old);
  });
  button.hidden = false;
})();
