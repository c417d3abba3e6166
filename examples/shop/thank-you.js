// Shows the order number that the payment came back with. The address proves
// nothing, so the page says no more than the number.
const order = new URLSearchParams(location.search).get("order");
if (order && /^[0-9A-Za-z]{1,64}$/.test(order)) {
  document.getElementById("order").textContent = order;
  document.getElementById("number").hidden = false;
}
