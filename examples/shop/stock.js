// Shows beside a product how many are left, where the shop counts them. What it
// reads may be some seconds old: whether there is enough is decided when one pays.
async function showLeft(place) {
  const reply = await fetch(`/pay/items/${place.dataset.item}`);
  const { available } = await reply.json();
  if (typeof available !== "number") return;
  place.querySelector(".en").textContent = available > 0 ? `${available} left` : "Sold out";
  place.querySelector(".zh").textContent = available > 0 ? `还剩 ${available} 件` : "已售罄";
  place.hidden = false;
  place.parentElement.querySelector(".buy").hidden = available === 0;
}

document.querySelectorAll("[data-item]").forEach(showLeft);
