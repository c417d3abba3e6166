// Shows the true status of the order that the payment came back with. The
// address proves nothing; what the shop's own /pay/status says is what the
// payment service has confirmed.
const order = new URLSearchParams(location.search).get("order") ?? "";

async function showStatus() {
  const reply = await fetch(`/pay/status/${encodeURIComponent(order)}`);
  const { status, display_amount, currency } = await reply.json();
  document.getElementById("order").textContent = order;
  document.getElementById("status").textContent = status ? `${status} · ${currency} ${display_amount}` : "unknown";
  document.getElementById("number").hidden = false;
  if (status === "pending") setTimeout(showStatus, 3000);
}

if (order) showStatus();
