// Shows the true status of the order that the payment came back with. The
// address proves nothing; what the shop's own /pay/status says is what the
// payment service has confirmed.
const order = new URLSearchParams(location.search).get("order") ?? "";

// What the customer reads for each status, in English and in Chinese.
const words = {
  pending: ["Waiting for the payment to be confirmed", "等待支付确认"],
  paid: ["Paid", "已支付"],
  failed: ["Not paid", "未支付"],
  closed: ["Not paid", "未支付"],
  refunded: ["Refunded", "已退款"],
  partially_refunded: ["Partly refunded", "已部分退款"],
};
const unknown = ["We don’t know this order", "找不到这个订单"];

function show(status, amount) {
  const [english, chinese] = words[status] ?? unknown;
  const place = document.getElementById("status");
  place.querySelector(".en").textContent = amount ? `${english}: ${amount}` : english;
  place.querySelector(".zh").textContent = chinese;
  place.hidden = false;
}

async function showStatus() {
  const reply = await fetch(`/pay/status/${encodeURIComponent(order)}`);
  if (!reply.ok && reply.status !== 404) return setTimeout(showStatus, 3000);
  const { status, display_amount, currency } = await reply.json();
  show(status, display_amount && `${currency} ${display_amount}`);
  if (status === "pending") setTimeout(showStatus, 3000);
}

if (order) {
  document.getElementById("order").textContent = order;
  document.getElementById("number").hidden = false;
  showStatus();
}
